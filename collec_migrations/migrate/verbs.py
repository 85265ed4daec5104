"""Plan, upgrade, downgrade and history for callers that are not `alembic`: one function each."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)
from sqlalchemy import Engine

from collec_migrations.bridge import history as rows
from collec_migrations.bridge.history import Row
from collec_migrations.migrate import access, environment, planning, retrying, sending
from collec_migrations.migrate import plan as plans
from collec_migrations.migrate.configuration import alembic_config, errors_unwrapped
from collec_migrations.migrate.job import Job
from collec_migrations.migrate.planned import Plan
from collec_migrations.migrate.progress import Progress
from collec_migrations.postgres import connection as database

Say = Callable[[str], None]


def plan(options: Mapping[str, str], version: str, *, say: Say) -> Plan:
    """Return what `upgrade` would do, by reading alone."""
    with errors_unwrapped():
        job = upgrade_job(alembic_config(options, say=say), version)
        with _reading(job) as cursor:
            return plans.survey(job, cursor)


def ensure_server(options: Mapping[str, str], *, say: Say) -> None:
    """Make and start the embedded server of the current folder, when no other place is told."""
    with errors_unwrapped():
        job = upgrade_job(alembic_config(options, say=say), "head")
        if job.settings.address is None:
            access.made(say=say)


def history(options: Mapping[str, str], *, say: Say) -> dict[str, tuple[Row, ...]]:
    """Return the history of the rights schema and of each data schema, oldest row first."""
    with errors_unwrapped():
        job = upgrade_job(alembic_config(options, say=say), "head")
        pairs = job.settings.pairs
        schemas = (pairs[0].gacl, *(names.col for names in pairs))
        with _reading(job) as cursor:
            return {schema: rows.read(cursor, schema) for schema in schemas}


def upgrade(
    options: Mapping[str, str],
    version: str,
    *,
    say: Say,
    progress: Progress | None = None,
    remark: str = "",
    lent: Engine | None = None,
) -> Mapping[str, str | None]:
    """Bring the database to `version` (exact, or head); return what each data schema is at.

    With `progress` the statements are sent one by one; `remark` stands in the history; the run
    takes its connection from `lent`, if given, and not from the settings.
    Raises `MigrationError` if it cannot be.
    """
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
    with errors_unwrapped():
        command.downgrade(alembic_config(options, say=say), version)


@contextmanager
def _reading(job: Job) -> Iterator[Cursor]:
    """Give a cursor of a connection that only reads, and is closed at the end."""
    address = access.address(job.settings, say=job.say)
    with closing(database.connect(address)) as connection:
        try:
            with plans.reading(connection, job.settings) as cursor:
                yield cursor
        except psycopg2.Error as error:
            if error.pgcode in sending.TRY_AGAIN:
                raise retrying.given_up(job, connection, error, attempts=1) from error
            raise sending.translate(error, lost=error.pgcode is None) from error


def upgrade_job(config: Config, version: str) -> Job:
    """Return the job that `alembic upgrade VERSION` would have."""
    script = ScriptDirectory.from_config(config)

    def upgrade(heads: Any, _: Any) -> Any:
        return script._upgrade_revs(version, heads)

    context = EnvironmentContext(config, script, fn=upgrade, destination_rev=version)
    job = Job.of(context, environment.told(config))
    planning.check_version(version, job.versions)
    return job
