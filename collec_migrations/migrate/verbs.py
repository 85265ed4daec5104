"""Plan, upgrade, downgrade and history for callers that are not `alembic`: one function each."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge import history as rows
from collec_migrations.migrate import access, up_to_date
from collec_migrations.postgres import connection as database
from collec_migrations.settings import Settings

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Engine

    from collec_migrations.migrate.job import Job
    from collec_migrations.migrate.planned import Plan
    from collec_migrations.migrate.sinks import Progress

Say = Callable[[str], None]

# Alembic and SQLAlchemy take longer to load than a database takes to answer: a function that
# reads, or finds nothing to do, does without them.


def plan(options: Mapping[str, str], version: str, *, say: Say) -> "Plan":
    """Return what `upgrade` would do, by reading alone."""
    settings = access.of_run(options)
    reached = up_to_date.reached_by(up_to_date.target(version, settings))
    if reached is None:
        return _surveyed(options, version, say=say)
    with _reading(settings, say=say) as cursor:
        found = up_to_date.survey(cursor, settings, reached)
        return found or _surveyed(options, version, cursor, say=say)


def _surveyed(
    options: Mapping[str, str], version: str, cursor: Cursor | None = None, *, say: Say
) -> "Plan":
    """Return the plan of a run that has steps: they are Alembic's revisions."""
    from collec_migrations.migrate import plan as plans
    from collec_migrations.migrate.environment import alembic_config, errors_unwrapped

    with errors_unwrapped():
        job = upgrade_job(alembic_config(options, say=say), version)
        if cursor is not None:
            return plans.survey(job, cursor)
        with _reading(job.settings, say=say) as opened:
            return plans.survey(job, opened)


def ensure_server(options: Mapping[str, str], *, say: Say) -> None:
    """Make and start the embedded server of the current folder, when no other place is told."""
    if access.of_run(options).address is None:
        access.made(say=say)


def history(options: Mapping[str, str], *, say: Say) -> dict[str, tuple[rows.Row, ...]]:
    """Return the history of the rights schema and of each data schema, oldest row first."""
    settings = access.of_run(options)
    schemas = (settings.pairs[0].gacl, *(names.col for names in settings.pairs))
    with _reading(settings, say=say) as cursor:
        return {schema: rows.read(cursor, schema) for schema in schemas}


def upgrade(
    options: Mapping[str, str],
    version: str,
    *,
    say: Say,
    progress: "Progress | None" = None,
    remark: str = "",
    lent: "Engine | None" = None,
) -> Mapping[str, str | None]:
    """Bring the database to `version` (exact, or head); return what each data schema is at.

    With `progress` the statements are sent one by one; `remark` stands in the history; the run
    takes its connection from `lent`, if given, and not from the settings.
    Raises `MigrationError` if it cannot be.
    """
    from alembic import command

    from collec_migrations.migrate.environment import alembic_config, errors_unwrapped

    config = alembic_config(options, say=say)
    config.attributes["progress"] = progress
    config.attributes["remark"] = remark
    if lent is not None:
        config.attributes["connection"] = lent
    with errors_unwrapped():
        command.upgrade(config, version)
    reached: Mapping[str, str | None] = config.attributes["reached"]
    return reached


def downgrade(options: Mapping[str, str], version: str, *, say: Say) -> None:
    """Take the database back to `version`; raise `MigrationError` if it cannot be."""
    from alembic import command

    from collec_migrations.migrate.environment import alembic_config, errors_unwrapped

    with errors_unwrapped():
        command.downgrade(alembic_config(options, say=say), version)


@contextmanager
def _reading(settings: Settings, *, say: Say) -> Iterator[Cursor]:
    """Give a cursor of a connection that only reads, and is closed at the end."""
    address = access.address(settings, say=say)
    with closing(database.connect(address)) as connection:
        try:
            with up_to_date.reading(connection, settings) as cursor:
                yield cursor
        except psycopg2.Error as error:
            from collec_migrations.migrate import online, sending

            if error.pgcode in sending.TRY_AGAIN:
                raise online.given_up(settings, connection, error, attempts=1) from error
            raise sending.translate(error, lost=error.pgcode is None) from error


def upgrade_job(config: "Config", version: str) -> "Job":
    """Return the job that `alembic upgrade VERSION` would have."""
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    from collec_migrations.migrate import chain, environment
    from collec_migrations.migrate.job import Job, upgrade_to

    script = ScriptDirectory.from_config(config)
    work = upgrade_to(script, version)
    context = EnvironmentContext(config, script, fn=work, destination_rev=version)
    job = Job.of(context, environment.read_settings(config))
    chain.check_version(version, job.versions)
    return job
