"""Run a command of Alembic on a server: locked, in one transaction, read back afterwards."""

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from alembic.runtime.environment import EnvironmentContext
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import quoted_name

from collec_migrations.bridge import history, ownership
from collec_migrations.errors import CommitUnknown, MigrationError, NotAdopted
from collec_migrations.migrate import (
    access,
    lending,
    obstacles,
    opening,
    planning,
    recording,
    refusal,
    retrying,
    up_to_date,
)
from collec_migrations.migrate.job import Job
from collec_migrations.names import Names
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import locks, privileges, quoting
from collec_migrations.postgres.conninfo import Address

if TYPE_CHECKING:  # only a run that has steps loads what they need
    from collec_migrations.migrate.run import Run
    from collec_migrations.migrate.sinks import Server


def run(environment: EnvironmentContext, job: Job) -> None:
    """Carry out the job; a job that changes holds the lock and reads its result back."""
    given = environment.config.attributes.get("connection")
    if given is not None:
        _run_lent(environment, job, given)
        return
    address = _address(job)
    with opening.connected(address) as connection:
        expected = _whole(environment, job, connection)
    if job.changes:
        with closing(database.connect(address)) as fresh, fresh.cursor() as cursor:
            _read_back(cursor, expected)
        environment.config.attributes["reached"] = expected


def _address(job: Job) -> Address:
    """Return where the database is; only a command that changes makes a server of this folder."""
    if job.changes and job.settings.address is None:
        return access.made(say=job.say)
    return access.address(job.settings, say=job.say)


def _run_lent(environment: EnvironmentContext, job: Job, given: Connection | Engine) -> None:
    """Run on what a program lends; a transaction that it began is for the program to end."""
    with lending.borrowed(given) as connection:
        lending.check(connection, job.settings)
        driver = lending.driver_of(connection)
        if connection.in_transaction():
            if job.changes:
                locks.hold_in_transaction(driver, wait=job.settings.lock_wait, say=job.say)
            expected, announcements = _versions(environment, job, connection)
            for line in announcements:
                job.say(line)
        else:
            expected = _whole(environment, job, connection)
            with driver.cursor() as cursor:
                _read_back(cursor, expected)
            driver.rollback()
    environment.config.attributes["reached"] = expected


def _whole(
    environment: EnvironmentContext, job: Job, connection: Connection
) -> dict[str, str | None]:
    """Run the job to its commit, after all others; return each data schema's version."""
    driver = lending.driver_of(connection)
    if not job.changes:
        return _attempt(environment, job, connection)
    with locks.held(driver, wait=job.settings.lock_wait, say=job.say):
        return retrying.with_retries(job, driver, lambda: _attempt(environment, job, connection))


def _attempt(
    environment: EnvironmentContext, job: Job, connection: Connection
) -> dict[str, str | None]:
    """Run the job once; return each data schema's version; say what there is to say at the end."""
    driver = lending.driver_of(connection)
    # Alembic reports success and commits nothing when it finds a transaction it did not begin.
    assert driver.get_transaction_status() == TRANSACTION_STATUS_IDLE
    if job.command == "upgrade":
        _refuse_obstacles(job, driver)
    if job.progress:
        job.progress.restart()
    try:
        versions, announcements = _committed(environment, job, connection)
    except BaseException:
        if not driver.closed:
            connection.rollback()
        raise
    for line in announcements:
        job.say(line)
    if job.site_facts:
        _keep_facts(job)
    return versions


def _refuse_obstacles(job: Job, driver: database.Connection) -> None:
    """Raise `NotPossible` for what the run would fail at; a superuser hardly needs to look."""
    reached = up_to_date.reached_by(job.targets[0])
    with up_to_date.reading(driver, job.settings) as cursor:
        if driver.server_version >= obstacles.OLDEST and privileges.is_unrestricted(cursor):
            return
        if reached and up_to_date.survey(cursor, job.settings, reached):
            return
        from collec_migrations.migrate import plan

        obstacles.refuse(plan.survey(job, cursor).obstacles)


def _keep_facts(job: Job) -> None:
    from collec_migrations.migrate import wrapped_step

    if job.remark != wrapped_step.ON_A_COPY:
        for version, found in job.site_facts.items():
            wrapped_step.keep_facts(version, found, job.say)


def _committed(
    environment: EnvironmentContext, job: Job, connection: Connection
) -> tuple[dict[str, str | None], list[str]]:
    """Run the job in one transaction, or let Alembic commit after each version."""
    if job.settings.per_version:
        return _versions(environment, job, connection)
    whole = connection.begin()
    result = _versions(environment, job, connection)
    try:
        whole.commit()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise CommitUnknown(
                f"the connection was lost during commit: {database.first_line(error)}",
                hint="Look with `alembic current`; to run it again does no harm.",
            ) from error
        raise
    return result


def _versions(
    environment: EnvironmentContext, job: Job, connection: Connection
) -> tuple[dict[str, str | None], list[str]]:
    """Run the job for each pair; return the versions reached and what the user is to be told."""
    versions: dict[str, str | None] = {}
    announcements: list[str] = []
    with lending.driver_of(connection).cursor() as cursor:
        locks.set_timeouts(cursor, lock_timeout=job.settings.lock_timeout)
        for names in job.settings.pairs:
            if job.changes:
                # Again for the transaction: a pooler may have given it another session.
                locks.hold_same_session(cursor)
            found = history.state(cursor, names)
            _prepare(cursor, job, names, found)
            steps = _Steps(job, cursor, names, found)
            if job.command == "do_stamp":
                steps.run()
            reached = _run_pair(environment, job, names, steps.run, connection)
            versions[names.col] = reached
            if job.command == "do_stamp" and found.gacl_tables:
                run = steps.run()
                rights = history.newest((reached, run.rights_held), job.versions)
                recording.stamp_rights(cursor, names.gacl, rights)
                run.sink.settle()
            announcements += steps.announcements()
            if job.settings.per_version:
                # Alembic would take a transaction left open by reading for one of the caller's.
                connection.commit()
    return versions, announcements


class _Steps:
    """The run of one pair, made when its first step comes: most runs have none."""

    def __init__(self, job: Job, cursor: Cursor, names: Names, found: history.State) -> None:
        self._told = job, cursor, names, found
        self._made: tuple[Run, Server] | None = None

    def run(self) -> "Run":
        """Return the run, the same one each time."""
        if self._made is None:
            self._made = self._make()
        return self._made[0]

    def announcements(self) -> list[str]:
        """Return what the user is to be told."""
        return [*self._made[1].warnings, *self._made[0].announcements] if self._made else []

    def _make(self) -> "tuple[Run, Server]":
        from collec_migrations.migrate import confinement
        from collec_migrations.migrate.progress import Watched
        from collec_migrations.migrate.sinks import Server

        job, cursor, names, found = self._told
        watch = ownership.Watch(cursor, names)
        owners = confinement.owners(cursor, watch)
        sink = (
            Watched(cursor, watch, owners, progress=job.progress)
            if job.progress
            else Server(cursor, watch, owners)
        )
        held = history.newest_of_others(history.data_schemas(cursor, names), names, job.versions)
        made = job.run_for(names, sink, rights_version=found.rights_version, rights_held=held)
        return made, sink


def _prepare(cursor: Cursor, job: Job, names: Names, found: history.State) -> None:
    """Refuse what must not be touched; create the schema where Alembic puts its table."""
    if job.command == "upgrade":
        refusal.refuse_unadopted(names, found)
    if job.changes and job.command != "do_stamp":
        refusal.refuse_unknown(names, found, job.versions)
    if job.command == "upgrade" and not found.col_exists:
        cursor.execute(f"create schema {quoting.identifier(names.col)}")
    if job.changes and job.command != "upgrade" and not found.col_exists:
        raise NotAdopted(
            f"there is no schema {names.col!r} in this database",
            hint="Is this the right database, and the right name (-x col=NAME)?",
        )
    if job.command == "do_stamp" and (version := _stamped(job, found)):
        from collec_migrations import bridge

        bridge.refuse_stamp(cursor.connection, names, version)


def _stamped(job: Job, found: history.State) -> str:
    """Return the version that `alembic stamp` writes; empty: none, or Alembic refuses it itself."""
    target = job.targets[0]
    if target in ("head", "heads"):
        return job.versions[-1]
    if target[:1] in ("+", "-") and found.recorded in job.versions:
        place = job.versions.index(found.recorded) + int(target)
        return job.versions[place] if 0 <= place < len(job.versions) else ""
    return target if target in job.versions else ""


def _run_pair(
    environment: EnvironmentContext,
    job: Job,
    names: Names,
    run: "Callable[[], Run]",
    connection: Connection,
) -> str | None:
    """Let Alembic run its steps for one pair; return the version that it reached."""
    environment.configure(
        connection=connection,
        fn=planning.followed(job.work, run),
        version_table_schema=quoted_name(names.col, quote=True),
        transaction_per_migration=job.settings.per_version,
        on_version_apply=recording.callback(run),
        collec_run=run,
    )
    if len(job.settings.pairs) > 1 and not job.changes:
        environment.config.print_stdout("%s:", names.col)
    environment.run_migrations()
    return environment.get_context().get_current_revision()


def _read_back(cursor: Cursor, expected: dict[str, str | None]) -> None:
    """Make sure, in a new transaction, that what was reported is really committed."""
    for schema, version in expected.items():
        found = history.recorded_version(cursor, schema)
        if found != version:
            raise MigrationError(
                f"schema {schema!r} should be at {version} but is at {found}",
                hint="The run was not committed; please report this with the server's log.",
            )
