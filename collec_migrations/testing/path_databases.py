"""Databases on a throwaway server: made, cloned and dropped."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count

from psycopg2 import extensions, sql

from collec_migrations.postgres import connection as database
from collec_migrations.postgres import conninfo
from collec_migrations.postgres.address import Address

END_SESSIONS = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = %s and pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """Makes databases by one connection."""

    server: Address
    connection: extensions.connection
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def create(self, template: str | None) -> str:
        """Create a database, empty or a clone; return its name."""
        name = f"path_{next(self._numbers)}"
        self._execute("create database {} template {}", name, template or "template0")
        return name

    def dsn(self, dbname: str) -> str:
        """Return where a database is, for libpq."""
        return extensions.make_dsn(self.server.dsn, dbname=dbname)

    @contextmanager
    def fresh(self, template: str | None) -> Iterator[str]:
        """Give the address of a database that is dropped at the end."""
        name = self.create(template)
        try:
            yield self.dsn(name)
        finally:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Drop a database, and end whoever is still in it; before 13 there is no `force`."""
        with self.connection.cursor() as cursor:
            cursor.execute(END_SESSIONS, (name,))
        self._execute("drop database {}", name)

    def _execute(self, statement: str, *names: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def on(server: Address) -> Iterator[Databases]:
    """Give what makes databases on a server of ours."""
    with closing(database.connect(conninfo.Address(server.dsn))) as connection:
        connection.autocommit = True
        yield Databases(server=server, connection=connection)
