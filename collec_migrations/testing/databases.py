"""`collec_database`: clones of templates, made and dropped by pytest-postgresql's janitor."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol

import psycopg2
from psycopg2 import extensions

from collec_migrations.errors import UnknownVersion
from collec_migrations.names import Names
from collec_migrations.testing import path_versions
from collec_migrations.testing.servers import Server, worker
from collec_migrations.testing.templates import Content, Templates

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
        """Return a fresh database of a version; `rows` movements of laboratory data in it.

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
    known = [one.version for one in path_versions.revisions()]
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
