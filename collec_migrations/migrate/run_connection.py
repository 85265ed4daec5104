"""The connection of a run: our own, or one that a program lends, as Alembic wants it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as DriverConnection  # noqa: N812  (a class in psycopg2)
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from collec_migrations.errors import UsageError
from collec_migrations.postgres import prologue
from collec_migrations.settings import Settings


class Dialect(PGDialect_psycopg2):
    """SQLAlchemy's, which asks the server nothing first: Alembic needs none of the answers."""

    supports_statement_cache = True

    def initialize(self, connection: Connection) -> None:
        """Take the version that the driver knows."""
        number = driver_of(connection).server_version
        self.server_version_info = (number // 10000, number % 10000)


@contextmanager
def of_driver(driver: DriverConnection) -> Iterator[Connection]:
    """Give SQLAlchemy's connection on one of ours; raise `ConnectionLost` when it breaks."""
    registry.register("postgresql.collec", __name__, "Dialect")
    engine = create_engine(
        "postgresql+collec://",
        creator=lambda: driver,
        poolclass=NullPool,
        use_native_hstore=False,
    )
    with engine.connect() as connection:
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
def lent(given: Connection | Engine, settings: Settings) -> Iterator[Connection]:
    """Use the connection that was lent, or one of the engine; its settings are put back."""
    if isinstance(given, Engine):
        with given.connect() as connection, lent(connection, settings):
            yield connection
        return
    driver = driver_of(given)
    with prologue.lent(driver, settings.lock_timeout):
        if not given.in_transaction():
            driver.commit()
        try:
            yield given
        except BaseException:
            if not given.in_transaction() and not driver.closed:
                driver.rollback()
            raise
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
