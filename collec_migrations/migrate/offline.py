"""`--sql`: write what a run would send, as a script that psql runs to the same result."""

import sys
from io import TextIOWrapper
from typing import TextIO

from alembic.runtime.environment import EnvironmentContext
from sqlalchemy.sql.elements import quoted_name

from collec_migrations.migrate import alone, planning, recording
from collec_migrations.migrate.job import Job
from collec_migrations.migrate.run import Run
from collec_migrations.migrate.sinks import Text
from collec_migrations.postgres import locks, quoting

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
        output.write(f"{alone.guard(pairs)}\n\n")
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
        fn=planning.followed(job.work, lambda: run),
        version_table_schema=quoted_name(run.names.col, quote=True),
        transaction_per_migration=job.settings.per_version,
        on_version_apply=recording.callback(lambda: run),
        collec_run=lambda: run,
    )
