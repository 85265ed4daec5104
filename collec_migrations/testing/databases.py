"""Databases of any version on a server: templates, each made once, and clones of them."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, chdir, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import psycopg2
from psycopg2 import extensions, sql
from psycopg2.extensions import make_dsn

from collec_migrations import versions
from collec_migrations.errors import UnknownVersion
from collec_migrations.migrate import verbs
from collec_migrations.migrate.wrapped_step import ON_A_COPY
from collec_migrations.names import Names
from collec_migrations.postgres import binaries, conninfo
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import throwaway as postgres_throwaway
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.throwaway import throwaway
from collec_migrations.testing import sample_data

HEAD = "head"
PREFIX = "collec_test"
"""How the names of all databases begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server is, with a role that may create databases."""

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

    def execute(self, statement: str, **values: sql.Composable) -> None:
        """Run a statement outside any transaction."""
        address = conninfo.Address(self.dsn(self.maintenance_dbname))
        with closing(database.connect(address)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL(statement).format(**values))


@contextmanager
def own_server(chosen: Binaries) -> Iterator[Server]:
    """Give a throwaway server."""
    with throwaway(
        chosen, folder=postgres_throwaway.quick_folder(), settings=postgres_throwaway.QUICK
    ) as address:
        yield Server(host=address.host, port=address.port, user=address.user)


@contextmanager
def server_at(where: str, major: int | None, get_fixture: Callable[[str], Any]) -> Iterator[Server]:
    """Give the server at an address or of a fixture's name; of our own, when `where` is empty.

    Raises `MigrationError` when it cannot be had.
    """
    if not where:
        chosen = binaries.embedded() if major is None else binaries.find(major)
        with own_server(chosen) as server:
            yield server
    elif "://" in where or "=" in where:
        # It is asked where it is: libpq has defaults.
        address = conninfo.parse(where, source="collec_server")
        with closing(database.connect(address)) as connection:
            info = connection.info
            found = Server(
                host=info.host,
                port=info.port,
                user=info.user,
                password=info.password or None,
                maintenance_dbname=info.dbname,
            )
        yield found
    else:
        executor = get_fixture(where)
        yield Server(
            host=executor.host,
            port=int(executor.port),
            user=executor.user,
            password=executor.password,
            maintenance_dbname=getattr(executor, "maintenance_dbname", "postgres"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a database holds."""

    version: str
    """A version of the chain, exactly."""
    rows: int = 0
    """Movements of sample data, with all that goes with them; 0: no rows of a user."""
    seed: int = 1
    names: Names = field(default_factory=Names)


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


@dataclass(frozen=True, slots=True)
class Databases:
    """What is made on one server; `stack` drops the templates."""

    server: Server
    stack: ExitStack
    _templates: dict[Content, str] = field(default_factory=dict)
    _names: Iterator[str] = field(default_factory=lambda: _names())

    def clone(self, content: Content | None, stack: ExitStack) -> str:
        """Return the name of a new database that holds this, or nothing; `stack` drops it.

        Raises `MigrationError` when it cannot be made.
        """
        return self._create(self.template(content) if content else "template0", stack)

    def template(self, content: Content) -> str:
        """Return the name of a database that holds this, made when it is first asked for."""
        if content not in self._templates:
            empty = Content(version=content.version, names=content.names)
            name = self.clone(empty if content.rows else None, self.stack)
            if content.rows:
                self._fill(name, content)
            else:
                given = options(self.server.dsn(name), content.names)
                verbs.upgrade(given, content.version, say=silent, remark=ON_A_COPY)
            self._templates[content] = name
        return self._templates[content]

    def _fill(self, name: str, content: Content) -> None:
        address = conninfo.Address(self.server.dsn(name))
        with closing(database.connect(address)) as connection:
            sample_data.fill(connection, content.names, movements=content.rows, seed=content.seed)
            connection.commit()

    def _create(self, template: str, stack: ExitStack) -> str:
        name = next(self._names)
        named = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
        self.server.execute("create database {name} template {template}", **named)
        stack.callback(self._drop, name)
        return name

    def _drop(self, name: str) -> None:
        """Drop a database, and end whoever is still in it; before 13 there is no `force`."""
        self.server.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = {name}",
            name=sql.Literal(name),
        )
        self.server.execute("drop database {name}", name=sql.Identifier(name))


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


def maker(databases: Databases, folder: Path, stack: ExitStack) -> MakeDatabase:
    """Return the function that makes databases, which `stack` drops.

    `folder` is the project's: its alembic.ini and its wrapped versions hold.
    """

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
            wanted = Content(version=exact, rows=rows, seed=seed if rows else 1, names=names)
            name = databases.clone(wanted, stack)
        return Database(server=databases.server, name=name, version=exact, names=names)

    return make


def options(dsn: str, names: Names) -> Mapping[str, str]:
    """Return the options of the tool's verbs for a database, on any server: without PostGIS."""
    quoted = '"' + names.col.replace('"', '""') + '"'
    return {"url": dsn, "gacl": names.gacl, "col": quoted, "without_postgis": "yes"}


def silent(_: str) -> None:
    """Say nothing."""


def revisions() -> tuple[versions.Revision, ...]:
    """Return the revisions of the chain, oldest first, without importing them."""
    folders = (versions.versions_folder(), versions.site_folder())
    return versions.ordered(one for folder in folders for one in versions.read_revisions(folder))


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
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    mine = "_".join(part for part in (PREFIX, worker, secrets.token_hex(4)) if part)
    return (f"{mine}_{number}" for number in count(1))
