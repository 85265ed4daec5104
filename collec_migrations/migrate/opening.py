"""The connection of a run: the driver's, as SQLAlchemy wants it for Alembic."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from collec_migrations.postgres import connection as database
from collec_migrations.postgres.conninfo import Address


@contextmanager
def connected(address: Address) -> Iterator[Connection]:
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
