"""Run a command of Alembic on a server: locked, in one transaction, read back afterwards."""

import time
from collections.abc import Callable, Collection
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg2
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationInfo
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as DriverConnection  # noqa: N812  (a class in psycopg2)
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import quoted_name

from collec_migrations.bridge import history
from collec_migrations.errors import CommitUnknown, LockNotObtained, MigrationError, NotAdopted
from collec_migrations.migrate import access, chain, run_connection
from collec_migrations.migrate.job import Job
from collec_migrations.names import Names
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import locks, quoting, signals
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.locks import Blocker
from collec_migrations.settings import Settings

if TYPE_CHECKING:
    from collec_migrations.migrate.run import Run
    from collec_migrations.migrate.sinks import Server


def run(environment: EnvironmentContext, job: Job) -> None:
    """Carry out the job; a job that changes holds the lock and reads its result back."""
    given = environment.config.attributes.get("connection")
    if given is not None:
        reached = _run_lent(environment, job, given)
    else:
        address, limit = _address(job), job.settings.lock_timeout
        with closing(database.connect(address, lock_timeout=limit)) as driver:
            there = _already_there(job, driver)
            if there is None:
                with run_connection.of_driver(driver) as connection:
                    there = _whole(environment, job, connection, address)
            reached = there
    environment.config.attributes["reached"] = reached


def _already_there(job: Job, driver: database.Connection) -> dict[str, str | None] | None:
    """Return where the data schemas are when an upgrade has nothing to do; None: it has, perhaps.

    Without a transaction, and so in fewer round trips: what is asked is one row.
    """
    if job.command != "upgrade":
        return None
    from collec_migrations.migrate import up_to_date

    wanted = up_to_date.reached_by(job.targets[0], job.versions)
    if wanted is None:
        return None
    driver.autocommit = True
    with driver.cursor() as cursor:
        found = up_to_date.recorded(cursor, job.settings, wanted)
    driver.autocommit = False
    return None if found is None else {one.col: state.recorded for one, state in found.items()}


def _address(job: Job) -> Address:
    """Return where the database is; only a command that changes makes a server of this folder."""
    if job.changes and job.settings.address is None:
        return access.made(say=job.say)
    return access.address(job.settings, say=job.say)


def _run_lent(
    environment: EnvironmentContext, job: Job, given: Connection | Engine
) -> dict[str, str | None]:
    """Run on what a program lends; a transaction that it began is for the program to end."""
    with run_connection.lent(given, job.settings) as connection:
        run_connection.check_lent(connection, job.settings)
        driver = run_connection.driver_of(connection)
        if connection.in_transaction():
            if job.changes:
                locks.hold_in_transaction(driver, wait=job.settings.lock_wait, say=job.say)
            versions, announcements = _versions(environment, job, connection)
            for line in announcements:
                job.say(line)
            return versions
        return _whole(environment, job, connection)


def _whole(
    environment: EnvironmentContext, job: Job, connection: Connection, own: Address | None = None
) -> dict[str, str | None]:
    """Run the job to its commit, after all others; return each data schema's version.

    It is read back on another connection to `own`, or on the one that was lent.
    """
    driver = run_connection.driver_of(connection)
    if not job.changes:
        return _attempt(environment, job, connection)
    with locks.held(driver, wait=job.settings.lock_wait, say=job.say):
        expected = with_retries(job, driver, lambda: _attempt(environment, job, connection))
        with (
            signals.ignored(),  # it is done: a signal is too late
            closing(database.connect(own)) if own else nullcontext(driver) as reading,
            locks.without_transaction(reading),
            reading.cursor() as cursor,
        ):
            _read_back(cursor, expected)
    return expected


def _attempt(
    environment: EnvironmentContext, job: Job, connection: Connection
) -> dict[str, str | None]:
    """Run the job once; return each data schema's version; say what there is to say at the end."""
    driver = run_connection.driver_of(connection)
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
    from collec_migrations.migrate import preconditions, up_to_date
    from collec_migrations.postgres import privileges

    if driver.server_version >= preconditions.OLDEST and privileges.seems_unrestricted(driver):
        return
    with up_to_date.reading(driver, job.settings) as cursor:
        from collec_migrations.migrate import plan

        preconditions.refuse(plan.survey(job, cursor).obstacles)


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
        with signals.ignored():  # too late: what is committed cannot be called off
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
    with run_connection.driver_of(connection).cursor() as cursor:
        for names in job.settings.pairs:
            if job.changes:
                # Again for the transaction: a pooler may have given it another session.
                locks.hold_same_session(cursor)
            found = history.state(cursor, names)
            _prepare(cursor, job, names, found)
            steps = _Steps(job, cursor, names, found)
            if job.command == "do_stamp":
                steps.run()
            _run_pair(environment, job, names, steps, connection)
            versions[names.col] = reached = steps.reached
            if job.command == "do_stamp" and found.gacl_tables:
                run = steps.run()
                rights = history.newest((reached, run.rights_held), job.versions)
                stamp_rights(cursor, names.gacl, rights)
                run.sink.settle()
            announcements += steps.announcements()
            if job.settings.per_version:
                # Alembic would take a transaction left open by reading for one of the caller's.
                connection.commit()
    return versions, announcements


class _Steps:
    """The run of one pair, made when its first step comes: most runs have none."""

    def __init__(self, job: Job, cursor: Cursor, names: Names, found: history.State) -> None:
        self._given = job, cursor, names, found
        self._made: tuple[Run, Server] | None = None
        self.is_new = job.command == "upgrade" and not found.col_exists
        self.reached = found.recorded

    def run(self) -> "Run":
        """Return the run, the same one each time."""
        if self._made is None:
            self._made = self._make()
        return self._made[0]

    def record(self, *, step: MigrationInfo, heads: Collection[Any], **_: Any) -> None:
        """Note a step that has been taken; Alembic calls this by keywords."""
        self.reached = next(iter(heads), None)
        self.run().record(version=self.reached, kind=kind_of(step))

    def announcements(self) -> list[str]:
        """Return what the user is to be told."""
        return [*self._made[1].warnings, *self._made[0].announcements] if self._made else []

    def _make(self) -> "tuple[Run, Server]":
        from collec_migrations.bridge import ownership
        from collec_migrations.migrate import confinement
        from collec_migrations.migrate.sinks import Server

        job, cursor, names, found = self._given
        watch = ownership.Watch(cursor, names, none_there=found.nothing_there)
        owners = confinement.owners(cursor, watch)
        sink = Server(cursor, watch, owners, progress=job.progress)
        users = history.data_schemas(cursor, names) if found.gacl_tables else {}
        held = history.newest_of_others(users, names, job.versions)
        made = job.run_for(names, sink, rights_version=found.rights_version, rights_held=held)
        return made, sink


def _prepare(cursor: Cursor, job: Job, names: Names, found: history.State) -> None:
    """Refuse what must not be touched; create the schema where Alembic puts its table."""
    if not job.changes:
        return
    from collec_migrations.migrate import preconditions

    if job.command == "upgrade":
        preconditions.refuse_unadopted(names, found)
    said = job.settings.application
    if job.command == "upgrade" and said and job.targets[0] == said.expected:
        passed = job.versions[job.versions.index(said.expected) :]
        if found.recorded in passed:
            preconditions.refuse_other_application(job.settings, names, found.recorded)
    if job.command != "do_stamp":
        preconditions.refuse_unknown(names, found, job.versions)
    if job.command == "upgrade" and not found.col_exists:
        # With Alembic's own table, which it would make in two round trips.
        cursor.execute(
            f"create schema {quoting.identifier(names.col)}; {history.version_table(names.col)}"
        )
    if job.command != "upgrade" and not found.col_exists:
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
    environment: EnvironmentContext, job: Job, names: Names, steps: _Steps, connection: Connection
) -> None:
    """Let Alembic run its steps for one pair."""
    environment.configure(
        connection=connection,
        fn=chain.followed(job.work, steps.run),
        version_table_schema=quoted_name(names.col, quote=True),
        transaction_per_migration=job.settings.per_version,
        on_version_apply=steps.record,  # type: ignore[arg-type]
        collec_run=steps.run,
        dont_mutate=steps.is_new,  # its table is there already
    )
    if len(job.settings.pairs) > 1 and not job.changes:
        environment.config.print_stdout("%s:", names.col)
    environment.run_migrations()


def _read_back(cursor: Cursor, expected: dict[str, str | None]) -> None:
    """Make sure, in a new transaction, that what was reported is really committed."""
    for schema, version in expected.items():
        found = history.recorded_version(cursor, schema)
        if found != version:
            raise MigrationError(
                f"schema {schema!r} should be at {version} but is at {found}",
                hint="The run was not committed; please report this with the server's log.",
            )


FIRST_PAUSE = 1.0
"""Seconds before the second attempt; doubled for each further one."""

T = TypeVar("T")


def with_retries(job: Job, driver: DriverConnection, attempt: Callable[[], T]) -> T:
    """Return what `attempt` gives, which leaves nothing behind when it fails.

    Raises `LockNotObtained` when the last attempt has failed for want of a lock as well.
    """
    retries = job.settings.lock_retries
    for number in range(retries + 1):
        try:
            return attempt()
        except (psycopg2.Error, DBAPIError) as error:
            if not _may_succeed_later(error):
                raise
            if number == retries:
                raise given_up(job.settings, driver, error, attempts=retries + 1) from error
            # Asked at once: the holder may be gone after the pause.
            holders = _holders(driver, job.settings)
        pause = FIRST_PAUSE * 2**number
        job.say(f"a table is locked by another session; trying again in {pause:.0f} s")
        for holder in holders:
            job.say(f"    {holder}")
        time.sleep(pause)
    raise AssertionError


def _may_succeed_later(error: psycopg2.Error | DBAPIError) -> bool:
    from collec_migrations.migrate import sending

    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "pgcode", None) in sending.TRY_AGAIN


def _holders(driver: DriverConnection, settings: Settings) -> tuple[Blocker, ...]:
    schemas = [name for names in settings.pairs for name in names.by_default_name.values()]
    with driver.cursor() as cursor:
        found = locks.read_blockers(cursor, schemas)
    driver.rollback()
    return found


def given_up(
    settings: Settings,
    driver: DriverConnection,
    error: psycopg2.Error | DBAPIError,
    *,
    attempts: int,
) -> LockNotObtained:
    """Return the error that names what was not locked, and by whom it is held now."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    message = getattr(getattr(cause, "diag", None), "message_primary", None) or "no lock"
    place = ", ".join(getattr(cause, "__notes__", ()))
    times = f", in each of {attempts} attempts" if attempts > 1 else ""
    lines = [f"    {holder}" for holder in _holders(driver, settings)]
    return LockNotObtained(
        "\n".join(
            [
                f"{place + ': ' if place else ''}{message}{times}",
                *(lines or ["    whoever held the lock has just ended"]),
            ]
        ),
        hint="Let these sessions end (or end one with `select pg_terminate_backend(PID)`), "
        "then run it again; a longer wait is -x lock_timeout=SECONDS, more attempts "
        "-x lock_retries=NUMBER.",
    )


def kind_of(step: MigrationInfo) -> history.Kind:
    """Return what kind of event a step is in a schema's history."""
    if step.is_stamp:
        return "stamped"
    return "applied" if step.is_upgrade else "downgraded"


def stamp_rights(cursor: Cursor, schema: str, version: str | None) -> None:
    """Record that the rights schema is found at a version, unless its history says so already."""
    past = history.read(cursor, schema)
    if version != (past[-1].version if past else None):
        history.record(cursor, {schema: history.Entry(version=version, kind="stamped")})
