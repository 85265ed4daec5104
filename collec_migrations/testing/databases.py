"""`collec_database`: clones of templates on our own throwaway servers, or on one that is there.

They are made and dropped by pytest-postgresql's janitor.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import psycopg2
from psycopg2 import extensions
from psycopg2.extensions import make_dsn
from pytest_postgresql.janitor import DatabaseJanitor

from collec_migrations.errors import UnknownVersion
from collec_migrations.names import Names
from collec_migrations.postgres import binaries, conninfo, scratch
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.throwaway import throwaway
from collec_migrations.testing.templates import Content, Templates, revisions

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

    where: str
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
        if not self.where:
            chosen = binaries.embedded() if major is None else binaries.find(major)
            address = self.stack.enter_context(
                throwaway(chosen, folder=scratch.quick(), settings=scratch.QUICK)
            )
            return Server(host=address.host, port=address.port, user=address.user)
        if "://" in self.where or "=" in self.where:
            return given(self.where)
        executor = self.get_fixture(self.where)
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


PREFIX = "collec_test"
"""How the names of all databases of the plugin begin."""
HEAD = "head"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database of a test's own."""

    server: Server
    name: str
    version: str
    names: Names

    @property
    def dsn(self) -> str:
        """Return its address for libpq and every psycopg; it may hold a password."""
        return self.server.dsn(self.name)

    @property
    def url(self) -> str:
        """Return its address for SQLAlchemy and `COLLEC_DATABASE_URL`; it may hold a password."""
        return self.server.url(self.name)

    def connect(self) -> extensions.connection:
        """Return a connection, which is the test's to close: an open one is ended at the end."""
        return psycopg2.connect(self.dsn)  # with the server's own settings, as an application has


class MakeDatabase(Protocol):
    """The function that the fixture `collec_database` gives."""

    def __call__(
        self,
        version: str = HEAD,
        *,
        rows: int = 0,
        seed: int = 1,
        gacl: str = "gacl",
        col: str = "col",
    ) -> Database:
        """Return a fresh database of a version; `rows` movements of sample data in it.

        The same seed makes the same rows. Raises `UnknownVersion` for what is no version.
        """


@dataclass(frozen=True, slots=True)
class Databases:
    """The templates of a session; `stack` drops them."""

    stack: ExitStack
    _templates: dict[Server, Templates] = field(default_factory=dict)
    _names: Iterator[str] = field(default_factory=lambda: _names())

    def maker(self, server: Server, folder: Path, stack: ExitStack) -> MakeDatabase:
        """Return the function that makes databases on a server, which `stack` drops.

        `folder` is the project's: its alembic.ini and its wrapped versions hold.
        """
        if server not in self._templates:
            self._templates[server] = Templates(_Janitors(server, self._names, self.stack))
        templates = self._templates[server]

        def make(
            version: str = HEAD,
            *,
            rows: int = 0,
            seed: int = 1,
            gacl: str = "gacl",
            col: str = "col",
        ) -> Database:
            names = Names.parse(gacl=gacl, col=col)
            with chdir(folder):
                exact = _exact(version)
                template = templates.of(
                    Content(version=exact, rows=rows, seed=seed if rows else 1, names=names)
                )
            name = next(self._names)
            stack.enter_context(server.janitor(name, template, keep=False))
            return Database(server=server, name=name, version=exact, names=names)

        return make


@dataclass(frozen=True, slots=True)
class _Janitors:
    """Makes the templates."""

    server: Server
    names: Iterator[str]
    stack: ExitStack

    def create(self, template: str | None) -> str:
        name = next(self.names)
        self.stack.enter_context(self.server.janitor(name, template, keep=True))
        return name

    def dsn(self, dbname: str) -> str:
        return self.server.dsn(dbname)


def _exact(version: str) -> str:
    known = [one.version for one in revisions()]
    if version == HEAD:
        return known[-1]
    if version not in known:
        raise UnknownVersion(
            f"{version!r} is not a version of the chain", hint=f"Versions are {', '.join(known)}."
        )
    return version


def _names() -> Iterator[str]:
    """Yield names that no other run, and no other worker, takes on the same server."""
    mine = "_".join(part for part in (PREFIX, worker(), secrets.token_hex(4)) if part)
    return (f"{mine}_{number}" for number in count(1))
