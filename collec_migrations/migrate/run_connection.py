"""The connection of a run: our own, or one that a program lends, as Alembic wants it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as DriverConnection  # noqa: N812  (a class in psycopg2)
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from collec_migrations.errors import UsageError
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import locks, prologue
from collec_migrations.postgres.conninfo import Address
from collec_migrations.settings import Settings


@contextmanager
def opened(address: Address) -> Iterator[Connection]:
    """Open a connection; raise `ConnectionLost` when it breaks."""
    driver = database.connect(address)
    engine = create_engine(
        "postgresql+psycopg2://",
        creator=lambda: driver,
        poolclass=NullPool,
        use_native_hstore=False,
    )
    with closing(driver), engine.connect() as connection:
        try:
            yield connection
        except (psycopg2.Error, DBAPIError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if driver.closed and isinstance(cause, psycopg2.Error):
                from collec_migrations.migrate import sending

                raise sending.translate(cause, lost=True) from error
            raise
        finally:
            if driver.closed:
                connection.invalidate()


@contextmanager
def lent(given: Connection | Engine) -> Iterator[Connection]:
    """Use the connection that was lent, or one of the engine; its limits are put back."""
    if isinstance(given, Engine):
        with given.connect() as connection:
            yield connection
        return
    driver = driver_of(given)
    before = locks.read_timeouts(driver)
    with prologue.lent(driver):
        if not given.in_transaction():
            driver.commit()
        try:
            yield given
        except BaseException:
            if not given.in_transaction() and not driver.closed:
                driver.rollback()
            raise
        locks.put_timeouts_back(driver, before)
    if not given.in_transaction():
        driver.commit()


def check_lent(connection: Connection, settings: Settings) -> None:
    """Raise `UsageError` for a connection on which a run could not be all or nothing."""
    driver = driver_of(connection)
    if driver.autocommit:
        raise UsageError(
            "the connection that was lent commits each statement by itself",
            hint="Lend one whose isolation level is not AUTOCOMMIT.",
        )
    if connection.in_transaction():
        if settings.per_version:
            raise UsageError(
                "transaction=per-version cannot commit within a transaction that was lent",
                hint="Lend a connection outside a transaction, or leave that setting out.",
            )
    elif driver.get_transaction_status() != TRANSACTION_STATUS_IDLE:
        raise UsageError(
            "the connection that was lent is in a transaction that SQLAlchemy did not begin",
            hint="End it first, or begin it by SQLAlchemy's connection.begin().",
        )


def driver_of(connection: Connection) -> DriverConnection:
    """Return the driver's connection behind SQLAlchemy's; raise `UsageError` for other drivers."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, DriverConnection):
        raise UsageError(
            f"the connection that was lent is not one of psycopg2 but of {type(driver).__module__}",
            hint="Make the engine with postgresql+psycopg2://.",
        )
    return driver
