"""A connection for commands that only need the database: no Alembic, which is slow to import."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from collec_migrations import settings
from collec_migrations.cli.options import say
from collec_migrations.errors import MigrationError
from collec_migrations.migrate import access
from collec_migrations.postgres import connection


@contextmanager
def connected(told: settings.Settings) -> Iterator[connection.Connection]:
    """Give a connection that is closed at the end: what was not committed is rolled back."""
    address = access.address(told, say=say)
    with closing(connection.connect(address)) as session:
        try:
            yield session
        except connection.Error as error:
            raise MigrationError(
                connection.first_line(error),
                hint="Run as the owner of the schemas, or as a superuser.",
            ) from error
