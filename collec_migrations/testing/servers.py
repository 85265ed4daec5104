"""Servers for tests: our own throwaway ones, or one that is there already."""

import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from psycopg2.extensions import make_dsn
from pytest_postgresql.janitor import DatabaseJanitor

from collec_migrations.postgres import binaries, conninfo, scratch
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.throwaway import throwaway

GetFixture = Callable[[str], Any]
WORKER = "PYTEST_XDIST_WORKER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server is, with a role that may create databases and roles."""

    host: str
    """A name, or the folder of a unix socket."""
    port: int
    user: str
    password: str | None = field(default=None, repr=False)
    maintenance_dbname: str = "postgres"

    def dsn(self, dbname: str) -> str:
        """Return where a database is, for libpq and psycopg; it may hold a password."""
        given = {"password": self.password} if self.password else {}
        return str(make_dsn(host=self.host, port=self.port, user=self.user, dbname=dbname, **given))

    def url(self, dbname: str) -> str:
        """Return where a database is, for SQLAlchemy, as `postgresql://`."""
        role = quote(self.user, safe="")
        if self.password:
            role += f":{quote(self.password, safe='')}"
        where = f"host={quote(self.host)}&port={self.port}"
        return f"postgresql://{role}@/{quote(dbname, safe='')}?{where}"

    def janitor(self, dbname: str, template: str | None, *, keep: bool) -> DatabaseJanitor:
        """Return what makes and drops a database; `keep`: it is to be a template itself."""
        return DatabaseJanitor(
            user=self.user,
            password=self.password,
            host=self.host,
            port=self.port,
            dbname=dbname,
            template_dbname=template,
            maintenance_dbname=self.maintenance_dbname,
            as_template=keep,
        )


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of one session: of one xdist worker."""

    told: str
    """An address, the name of a fixture, or empty: our own."""
    get_fixture: GetFixture
    stack: ExitStack
    _started: dict[int | None, Server] = field(default_factory=dict)

    def of(self, major: int | None) -> Server:
        """Return the server of a major; raise `MigrationError` when it cannot be had."""
        if major not in self._started:
            self._started[major] = self._found(major)
        return self._started[major]

    def _found(self, major: int | None) -> Server:
        if not self.told:
            chosen = binaries.embedded() if major is None else binaries.find(major)
            address = self.stack.enter_context(
                throwaway(chosen, folder=scratch.quick(), settings=scratch.QUICK)
            )
            return Server(host=address.host, port=address.port, user=address.user)
        if "://" in self.told or "=" in self.told:
            return given(self.told)
        executor = self.get_fixture(self.told)
        return Server(
            host=executor.host,
            port=int(executor.port),
            user=executor.user,
            password=executor.password,
            maintenance_dbname=getattr(executor, "maintenance_dbname", "postgres"),
        )


def given(text: str) -> Server:
    """Return the server at an address, which is asked where it is: libpq knows defaults.

    Raises `MigrationError` when it cannot be reached.
    """
    address = conninfo.parse(text, source="collec_server")
    with closing(database.connect(address)) as connection:
        info = connection.info
        return Server(
            host=info.host,
            port=info.port,
            user=info.user,
            password=info.password or None,
            maintenance_dbname=info.dbname,
        )


def worker() -> str:
    """Return the name of this xdist worker, or nothing."""
    return os.environ.get(WORKER, "")
