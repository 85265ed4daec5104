"""Run a command of Alembic on a server: locked, in one transaction, read back afterwards."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext

from alembic.runtime.environment import EnvironmentContext
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as DriverConnection  # noqa: N812  (a class in psycopg2)
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import quoted_name

from collec_migrations import access, adoption, quoting
from collec_migrations.addresses import Address
from collec_migrations.database import connection as database
from collec_migrations.database import holdings, locking, sharing, state
from collec_migrations.errors import MigrationError, NotAdopted
from collec_migrations.migration import plan, planning, recording, refusal, retrying
from collec_migrations.migration.job import Job
from collec_migrations.migration.progress import Watched
from collec_migrations.migration.run import Run
from collec_migrations.migration.sinks import Server
from collec_migrations.names import Names


def run(environment: EnvironmentContext, job: Job) -> None:
    """Carry out the job; a job that changes holds the lock and reads its result back."""
    given = environment.config.attributes.get("connection")
    if given is not None:
        with _lent(given) as connection:
            _versions(environment, job, connection)
        return
    address = job.settings.address or access.made(say=job.say)
    with _connected(address) as (driver, connection):
        if job.changes:
            with locking.held(driver, wait=job.settings.lock_wait, say=job.say):
                expected = retrying.with_retries(
                    job, driver, lambda: _attempt(environment, job, connection)
                )
        else:
            expected = _attempt(environment, job, connection)
    if job.changes:
        _read_back(address, expected)
        environment.config.attributes["reached"] = expected


@contextmanager
def _lent(given: Connection | Engine) -> Iterator[Connection]:
    """Use a connection, or one of an engine, that a program put into `Config.attributes`."""
    if isinstance(given, Connection):
        yield given
        return
    with given.connect() as connection, connection.begin():
        yield connection


@contextmanager
def _connected(address: Address) -> Iterator[tuple[DriverConnection, Connection]]:
    """Open a connection, as the driver's and, the same one, as SQLAlchemy's."""
    driver = database.connect(address)
    engine = create_engine(
        "postgresql+psycopg2://",
        creator=lambda: driver,
        poolclass=NullPool,
        use_native_hstore=False,
    )
    with closing(driver), engine.connect() as connection:
        try:
            yield driver, connection
        finally:
            if driver.closed:
                connection.invalidate()


def _attempt(
    environment: EnvironmentContext, job: Job, connection: Connection
) -> dict[str, str | None]:
    """Run the job once; return each data schema's version; say what there is to say at the end."""
    driver = _driver(connection)
    # Alembic reports success and commits nothing when it finds a transaction it did not begin.
    assert driver.get_transaction_status() == TRANSACTION_STATUS_IDLE
    if job.command == "upgrade":
        plan.refuse_obstacles(job, driver)
    if job.progress:
        job.progress.restart()
    whole = connection.begin() if not job.settings.per_version else nullcontext()
    with whole:
        versions, announcements = _versions(environment, job, connection)
    for line in announcements:
        job.say(line)
    return versions


def _versions(
    environment: EnvironmentContext, job: Job, connection: Connection
) -> tuple[dict[str, str | None], list[str]]:
    """Run the job for each pair; return the versions reached and what the user is to be told."""
    versions: dict[str, str | None] = {}
    announcements: list[str] = []
    with _driver(connection).cursor() as cursor:
        cursor.execute(f"set lock_timeout = {round(job.settings.lock_timeout * 1000)}")
        for names in job.settings.pairs:
            found = state.read(cursor, names)
            _prepare(cursor, job, names, found)
            sink = _sink(job, cursor, names)
            held = sharing.newest_of_others(
                sharing.data_schemas(cursor, names), names, job.versions
            )
            run = job.run_for(names, sink, rights_version=found.rights_version, rights_held=held)
            versions[names.col] = _run_pair(environment, job, run, connection)
            announcements += [*sink.warnings, *run.announcements]
    return versions, announcements


def _sink(job: Job, cursor: Cursor, names: Names) -> Server:
    watch = holdings.Watch(cursor, names)
    return Watched(cursor, watch, progress=job.progress) if job.progress else Server(cursor, watch)


def _prepare(cursor: Cursor, job: Job, names: Names, found: state.State) -> None:
    """Refuse what must not be touched; create the schema where Alembic puts its table."""
    if job.command == "upgrade":
        refusal.refuse_unadopted(names, found)
    if job.command == "upgrade" and not found.col_exists:
        cursor.execute(f"create schema {quoting.identifier(names.col)}")
    if job.changes and job.command != "upgrade" and not found.col_exists:
        raise NotAdopted(
            f"there is no schema {names.col!r} in this database",
            hint="Is this the right database, and the right name (-x col=NAME)?",
        )
    if job.command == "do_stamp" and job.targets[0] in job.versions:
        warning = adoption.contradiction(cursor.connection, names, job.targets[0])
        if warning:
            job.say(f"warning: {warning}; see `collec-migrations detect`")


def _run_pair(
    environment: EnvironmentContext, job: Job, run: Run, connection: Connection
) -> str | None:
    """Let Alembic run its steps for one pair; return the version that it reached."""
    environment.configure(
        connection=connection,
        fn=planning.followed(job.work, run),
        version_table_schema=quoted_name(run.names.col, quote=True),
        transaction_per_migration=job.settings.per_version,
        on_version_apply=recording.callback(run),
        collec_run=run,
    )
    if len(job.settings.pairs) > 1 and not job.changes:
        environment.config.print_stdout("%s:", run.names.col)
    environment.run_migrations()
    return environment.get_context().get_current_revision()


def _read_back(address: Address, expected: dict[str, str | None]) -> None:
    """Make sure, on a new connection, that what was reported is really committed."""
    with closing(database.connect(address)) as fresh, fresh.cursor() as cursor:
        for schema, version in expected.items():
            found = state.recorded_version(cursor, schema)
            if found != version:
                raise MigrationError(
                    f"schema {schema!r} should be at {version} but is at {found}",
                    hint="The run was not committed; please report this with the server's log.",
                )


def _driver(connection: Connection) -> DriverConnection:
    driver: DriverConnection = connection.connection.driver_connection  # type: ignore[assignment]
    return driver
