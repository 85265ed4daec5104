"""Databases of any version on a server for tests."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import extensions

from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from tests.builders import from_catalog, stored
from tests.servers import Server

DEFAULT = Names()


@contextmanager
def empty(server: Server) -> Iterator[extensions.connection]:
    """Give a connection to an empty database, dropped at the end."""
    with server.database() as address, closing(psycopg2.connect(address.dsn)) as connection:
        yield connection


@contextmanager
def at(server: Server, version: str, names: Names = DEFAULT) -> Iterator[extensions.connection]:
    """Give a connection to a database of a version, without rows; cloned, so it takes no time."""
    template = _template(server, version, names)
    with server.database(template) as address, closing(psycopg2.connect(address.dsn)) as connection:
        yield connection


def _template(server: Server, version: str, names: Names) -> str:
    def build(address: Address) -> None:
        with closing(psycopg2.connect(address.dsn)) as connection, connection:
            from_catalog.build(connection, stored.load(version), names)

    return server.template(f"catalog {version} {names.col}", build)
