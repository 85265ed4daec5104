"""Which extensions a database has, and which the running role may make."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

_INSTALLED = """
select x.extname::text, n.nspname::text
from pg_catalog.pg_extension x join pg_catalog.pg_namespace n on n.oid = x.extnamespace
"""
_AVAILABLE = """
select v.name::text,
       bool_or(r.rolsuper or not v.superuser{trusted})
from pg_catalog.pg_available_extension_versions v, pg_catalog.pg_roles r
where r.rolname = current_user
group by v.name
"""
_TRUSTED = """
    or (v.trusted and pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create'))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """The extensions of a database and of its server."""

    version: int
    """The server's version number."""
    installed: Mapping[str, str]
    """Name to schema."""
    available: Mapping[str, bool]
    """Name, and whether the running role may make it."""


def read(cursor: Cursor) -> Extensions:
    """Return what is installed and what can be; reads only."""
    version = cursor.connection.server_version
    cursor.execute(_INSTALLED)
    installed = dict(cursor.fetchall())
    # Trusted extensions came with 13.
    cursor.execute(_AVAILABLE.format(trusted=_TRUSTED if version >= 130000 else ""))
    return Extensions(version=version, installed=installed, available=dict(cursor.fetchall()))
