"""Databases of any version, empty or filled, each made once and cloned from then on."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from collec_migrations import versions as library
from collec_migrations import wrap
from collec_migrations.migrate import verbs
from collec_migrations.migrate.wrapped_step import ON_A_COPY
from collec_migrations.names import Names
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import conninfo
from collec_migrations.testing import sample_data
from collec_migrations.wrap import Revision


class Maker(Protocol):
    """Whoever makes databases on a server."""

    def create(self, template: str | None) -> str:
        """Create a database, empty or as a clone, to be cloned itself; return its name."""

    def dsn(self, dbname: str) -> str:
        """Return where a database is, for libpq."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a template holds."""

    version: str
    """A version of the chain, exactly."""
    rows: int = 0
    """Movements of sample data, with all that goes with them; 0: no rows of a user."""
    seed: int = 1
    names: Names = field(default_factory=Names)


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates on one server."""

    maker: Maker
    _made: dict[Content, str] = field(default_factory=dict)

    def of(self, content: Content) -> str:
        """Return the name of a database that holds this; raise `MigrationError` if it cannot be."""
        if content not in self._made:
            base = _base(content)
            dbname = self.maker.create(self.of(base) if base else None)
            _make(self.maker.dsn(dbname), content, base)
            self._made[content] = dbname
        return self._made[content]


def options(dsn: str, names: Names) -> Mapping[str, str]:
    """Return the options of the tool's verbs for a database, on any server: without PostGIS."""
    quoted = '"' + names.col.replace('"', '""') + '"'
    return {"url": dsn, "gacl": names.gacl, "col": quoted, "without_postgis": "yes"}


def silent(_: str) -> None:
    """Say nothing."""


def _base(content: Content) -> Content | None:
    """Return what rows are added to: the same version without any."""
    return Content(version=content.version, names=content.names) if content.rows else None


def _make(dsn: str, content: Content, base: Content | None) -> None:
    if base is None:
        verbs.upgrade(options(dsn, content.names), content.version, say=silent, remark=ON_A_COPY)
        return
    with closing(database.connect(conninfo.Address(dsn))) as connection:
        sample_data.fill(connection, content.names, movements=content.rows, seed=content.seed)
        connection.commit()


def revisions() -> tuple[Revision, ...]:
    """Return the revisions of the chain, oldest first, without importing them."""
    folders = (library.versions_folder(), library.site_folder())
    return wrap.ordered(one for folder in folders for one in wrap.read_revisions(folder))
