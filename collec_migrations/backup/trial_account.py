"""The account that tries a backup: whoever made the archive gets no rights of a superuser by it.

An archive is a program: its functions, checks and defaults run while it is restored. It is restored
by a role that owns the new database, is a member of the roles that the archive names, and is
no superuser. Extensions are created beforehand, while nothing of the archive is there yet.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from psycopg2 import errors, extensions, sql

from collec_migrations.errors import RestoreRefused
from collec_migrations.postgres import cluster, pg_versions

ROLE = cluster.UNPRIVILEGED
SUPERUSERS_OWN = ("EVENT TRIGGER ", "PUBLICATION ", "SUBSCRIPTION ")
"""Entries that only a superuser may create, for all tables say, and that no row depends on."""
_FOR_EVERYBODY = (
    "grant create on database {database} to public",
    "grant usage, create on schema public to public",
    "alter default privileges for role {role} grant usage, create on schemas to public",
)
_NO_LONGER = (
    "alter default privileges for role {role} revoke usage, create on schemas from public",
    "revoke create on database {database} from public",
    "alter role {role} nologin",
)
_TABLES_OF_EXTENSIONS = """
select n.nspname::text, c.relname::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and d.objid = c.oid
where d.deptype = 'e' and c.relkind in ('r', 'p')
"""
_SCHEMAS = """
select n.nspname::text from pg_catalog.pg_namespace n
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
"""


def create(cursor: extensions.cursor, dbname: str, roles: Collection[str]) -> None:
    """Create the account, owner of the database and a member of these roles.

    Never of a superuser, nor of the roles of PostgreSQL's own that read files and run programs.
    """
    role = sql.Identifier(ROLE)
    cursor.execute(sql.SQL("create role {} login").format(role))
    cursor.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(dbname), role))
    cursor.execute(
        "select rolname::text from pg_catalog.pg_roles"
        " where rolname = any(%s) and not rolsuper and rolname !~ '^pg_' and rolname <> %s",
        (list(roles), ROLE),
    )
    for (name,) in cursor.fetchall():
        cursor.execute(sql.SQL("grant {} to {}").format(sql.Identifier(name), role))


def prepare(
    cursor: extensions.cursor, dbname: str, trees: Iterable[Any], entries: Sequence[str]
) -> tuple[str, ...]:
    """Make ready what needs a superuser; return how the entries begin that were made by it.

    `trees` are the statements of the archive, `entries` those of its table of contents. Whoever is
    to own an object must be able to create it: until `finish`, everybody may.
    """
    role, database = sql.Identifier(ROLE), sql.Identifier(dbname)
    if not _owns_public(cursor):
        cursor.execute(sql.SQL("alter schema public owner to {}").format(role))
    made = ["COMMENT - EXTENSION plpgsql "]
    for name, schema in _extensions(trees).items():
        made += [f"EXTENSION - {name} ", f"COMMENT - EXTENSION {name} "]
        if schema not in ("public", "pg_catalog"):
            made.append(f"SCHEMA - {schema} ")
            _create_schema(cursor, schema, entries)
        text = "create extension if not exists {} with schema {} cascade"
        try:
            cursor.execute(sql.SQL(text).format(sql.Identifier(name), sql.Identifier(schema)))
        except (errors.FeatureNotSupported, errors.UndefinedFile) as error:
            raise RestoreRefused(
                f"the server lacks the extension {name!r}, which the backup needs",
                hint=f"Install it there, or use another server. {error.diag.message_primary}",
            ) from error
    cursor.execute(_TABLES_OF_EXTENSIONS)  # as PostGIS's spatial_ref_sys: some rows are dumped
    for schema, table in cursor.fetchall():
        cursor.execute(
            sql.SQL("grant select, insert on {} to {}").format(sql.Identifier(schema, table), role)
        )
    for statement in _FOR_EVERYBODY:
        cursor.execute(sql.SQL(statement).format(database=database, role=role))
    return tuple(made)


def finish(cursor: extensions.cursor, dbname: str, trees: Iterable[Any]) -> None:
    """Take back what everybody was given; the account keeps what it owns, and cannot log in."""
    opened = set() if _owns_public(cursor) else {"public"}
    for tree in trees:
        if type(tree).__name__ != "GrantStmt" or tree.objtype.name != "OBJECT_SCHEMA":
            continue
        if tree.is_grant and any(one.roletype.name == "ROLESPEC_PUBLIC" for one in tree.grantees):
            opened |= {one.sval for one in tree.objects}
    cursor.execute(_SCHEMAS)
    for (schema,) in cursor.fetchall():
        if schema not in opened:
            rights = "create" if schema == "public" else "all"
            text = f"revoke {rights} on schema {{}} from public"
            cursor.execute(sql.SQL(text).format(sql.Identifier(schema)))
    for statement in _NO_LONGER:
        cursor.execute(
            sql.SQL(statement).format(role=sql.Identifier(ROLE), database=sql.Identifier(dbname))
        )


def _owns_public(cursor: extensions.cursor) -> bool:
    """Tell whether the owner of a database owns its schema `public`."""
    version = cursor.connection.server_version
    return pg_versions.server_has(version, "public_schema_of_database_owner")


def _extensions(trees: Iterable[Any]) -> dict[str, str]:
    """Return the schema of each extension that the archive creates."""
    found = {}
    for tree in trees:
        if type(tree).__name__ == "CreateExtensionStmt":
            named = [one.arg.sval for one in tree.options or () if one.defname == "schema"]
            found[tree.extname] = named[0] if named else "public"
    return found


def _create_schema(cursor: extensions.cursor, name: str, entries: Sequence[str]) -> None:
    """Create an extension's schema, with the owner that the table of contents names."""
    own = f"SCHEMA - {name} "
    owner = next((one.removeprefix(own) for one in entries if one.startswith(own)), "")
    cursor.execute("select pg_catalog.pg_has_role(%s, oid, 'member') from pg_catalog.pg_roles"
                   " where rolname = %s", (ROLE, owner))  # fmt: skip
    owner = owner if cursor.fetchone() == (True,) else ROLE
    cursor.execute(
        sql.SQL("create schema if not exists {} authorization {}").format(
            sql.Identifier(name), sql.Identifier(owner)
        )
    )
