"""What the running role may do in a database, and which extensions it has or may make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection  # noqa: N812  (a class in psycopg2)
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.postgres import pg_versions

SERVER = """
select current_user::text, r.rolsuper, current_database()::text,
       pg_catalog.pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on',
       pg_catalog.has_database_privilege(current_database(), 'create')
from pg_catalog.pg_roles r where r.rolname = current_user
"""
ROLES = """
select rolname::text, pg_catalog.pg_has_role(current_user, oid, 'usage'),
       pg_catalog.pg_has_role(current_user, oid, %s)
from pg_catalog.pg_roles
"""
CREATE = """
select n.nspname::text, r.rolname::text
from pg_catalog.pg_namespace n, pg_catalog.pg_roles r
where n.nspname = any (%s::text[]) and pg_catalog.has_schema_privilege(r.oid, n.oid, 'create')
"""
REFERENCES = """
select n.nspname::text, c.relname::text
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%s::text[]) and c.relkind in ('r', 'p')
  and pg_catalog.has_table_privilege(c.oid, 'references')
"""
SCHEMAS = "select nspname::text from pg_catalog.pg_namespace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Privileges:
    """The rights of the role that is connected, as far as a run needs them."""

    role: str
    superuser: bool
    database: str
    version: int
    """The server's, as `server_version_num` has it."""
    standby: bool
    read_only: bool
    creates_schemas: bool
    acts_as: frozenset[str]
    """Roles whose objects it may change."""
    gives_to: frozenset[str]
    """Roles to which it may give its objects."""
    creators: frozenset[tuple[str, str]]
    """(schema, role) for each role that may create objects in a schema."""
    references: frozenset[tuple[str, str]]
    """Tables (schema, name) to which it may make foreign keys."""
    schemas: frozenset[str]
    """All schemas of the database."""


def is_unrestricted(cursor: Cursor) -> bool:
    """Return whether a superuser is connected to a server that takes changes: one round trip."""
    cursor.execute(SERVER)
    ((_, superuser, _, standby, read_only, _),) = cursor.fetchall()
    return bool(superuser and not standby and not read_only)


def seems_unrestricted(connection: Connection) -> bool:
    """Return what a server from 14 on says of itself unasked; a pooler may repeat an old answer."""
    said = connection.info.parameter_status
    asked = ("in_hot_standby", "default_transaction_read_only")
    return said("is_superuser") == "on" and all(said(name) == "off" for name in asked)


def read(cursor: Cursor, schemas: Sequence[str]) -> Privileges:
    """Return what the connected role may do in these schemas; reads only."""
    version = cursor.connection.server_version
    cursor.execute(SERVER)
    ((role, superuser, database, standby, read_only, creates_schemas),) = cursor.fetchall()
    # From 16 on a member may be allowed to inherit but not to become the other role.
    cursor.execute(
        ROLES, ("set" if pg_versions.server_has(version, "grant_with_set") else "member",)
    )
    roles = cursor.fetchall()
    return Privileges(
        role=role,
        superuser=superuser,
        database=database,
        version=version,
        standby=standby,
        read_only=read_only,
        creates_schemas=creates_schemas,
        acts_as=frozenset(name for name, usage, _ in roles if usage),
        gives_to=frozenset(name for name, _, becomes in roles if becomes),
        creators=_pairs(cursor, CREATE, schemas),
        references=_pairs(cursor, REFERENCES, schemas),
        schemas=_names(cursor),
    )


def _pairs(cursor: Cursor, query: str, schemas: Sequence[str]) -> frozenset[tuple[str, str]]:
    cursor.execute(query, (list(schemas),))
    return frozenset((schema, name) for schema, name in cursor.fetchall())


def _names(cursor: Cursor) -> frozenset[str]:
    cursor.execute(SCHEMAS)
    return frozenset(name for (name,) in cursor.fetchall())


_EXTENSIONS = """
select x.extname::text, n.nspname::text, null
from pg_catalog.pg_extension x join pg_catalog.pg_namespace n on n.oid = x.extnamespace
union all
select v.name::text, null, bool_or(r.rolsuper or not v.superuser{trusted})
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


def read_extensions(cursor: Cursor) -> Extensions:
    """Return what is installed and what can be; reads only."""
    version = cursor.connection.server_version
    trusted = _TRUSTED if pg_versions.server_has(version, "trusted_extensions") else ""
    cursor.execute(_EXTENSIONS.format(trusted=trusted))
    rows = cursor.fetchall()
    return Extensions(
        version=version,
        installed={name: schema for name, schema, _ in rows if schema is not None},
        available={name: makes for name, schema, makes in rows if schema is None},
    )
