"""`--sql`: write what a run would send, as a script that psql runs to the same result."""

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TextIO

from alembic.runtime.environment import EnvironmentContext
from sqlalchemy.sql.elements import quoted_name

from collec_migrations.bridge import history
from collec_migrations.migrate import chain, online
from collec_migrations.migrate.job import Job
from collec_migrations.migrate.run import Run
from collec_migrations.migrate.sinks import Text
from collec_migrations.names import Names
from collec_migrations.postgres import locks, quoting
from collec_migrations.postgres.queries import statement

HEADER = """\
-- Written by collec-migrations; run it with: psql -d DATABASE -f FILE
\\set ON_ERROR_STOP on
set client_encoding = 'UTF8';
set standard_conforming_strings = on;
set client_min_messages = warning;
"""


def write(environment: EnvironmentContext, job: Job) -> None:
    """Write the script to the output of Alembic's configuration, for all pairs."""
    output: TextIO = environment.config.output_buffer or sys.stdout
    if isinstance(output, TextIOWrapper):
        # The script says of itself that it is UTF-8; literals keep their line ends.
        output.reconfigure(encoding="utf-8", newline="\n")
    timeout = round(job.settings.lock_timeout * 1000)
    output.write(f"{HEADER}set lock_timeout = '{timeout} ms';\n\n")
    if not job.settings.per_version:
        output.write("BEGIN;\n\n")
    output.write(f"{locks.statement(whole_session=job.settings.per_version)}\n")
    announcements = _write_pairs(environment, job, output)
    if not job.settings.per_version:
        output.write("COMMIT;\n")
    for line in announcements:
        job.say(line)


def _write_pairs(environment: EnvironmentContext, job: Job, output: TextIO) -> list[str]:
    """Write what each pair needs; the rights schema is stepped up by the first."""
    rights_version = None if job.start in (None, "base") else job.start
    announcements: list[str] = []
    pairs = job.settings.pairs
    if job.command == "downgrade":
        output.write(f"{_rights_guard(pairs)}\n\n")
    for names in pairs:
        # Each pair starts from the same version: the rights schema goes down with the last.
        held = None if names == pairs[-1] else job.start
        sink = Text(output.write)
        run = job.run_for(names, sink, rights_version=rights_version, rights_held=held)
        if job.start in (None, "base"):
            output.write(f"create schema if not exists {quoting.identifier(names.col)};\n\n")
        _configure(environment, job, run, output)
        environment.run_migrations()
        rights_version = run.rights_version
        announcements += run.announcements
    return announcements


def _configure(environment: EnvironmentContext, job: Job, run: Run, output: TextIO) -> None:
    environment.configure(
        dialect_name="postgresql",
        # No doubling of % in names, which psql would take as it is.
        dialect_opts={"paramstyle": "named"},
        literal_binds=True,
        output_buffer=output,
        fn=chain.followed(job.work, lambda: run),
        version_table_schema=quoted_name(run.names.col, quote=True),
        transaction_per_migration=job.settings.per_version,
        on_version_apply=lambda step, heads, **_: run.record(
            version=next(iter(heads), None), kind=online.kind_of(step)
        ),
        collec_run=lambda: run,
    )


def _rights_guard(pairs: Sequence[Names]) -> str:
    """Return the statement that fails when a data schema beside these uses the rights schema.

    A run on a server looks there and leaves the rights schema as it is; a script cannot know.
    """
    parameters = {
        "%(gacl)s": quoting.literal(pairs[0].gacl),
        "%(archive)s": quoting.literal(pairs[0].gacl_archive),
        "%(version_table)s": quoting.literal(history.VERSION_TABLE),
    }
    query = statement("rights_users")
    for parameter, value in parameters.items():
        query = query.replace(parameter, value)
    named = ", ".join(quoting.literal(names.col) for names in pairs)
    body = f"""
declare
    others text;
begin
    select string_agg(users.nspname, ', ') into others
    from (
{query}
    ) as users
    where users.nspname not in ({named});
    if others is not null then
        raise exception 'other data schemas use the rights schema: %', others
            using hint = 'Nothing was applied. Run the downgrade without --sql.';
    end if;
end
"""
    return f"do $alone${body}$alone$;"
