"""Read the facts of a pair of schemas from a server, in one round trip."""

from psycopg2 import extensions

from collec_migrations.bridge.state import TOOL_TABLES
from collec_migrations.bridge.unqualified import unqualified
from collec_migrations.catalog import Catalog
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement


def read_catalog(connection: extensions.connection, names: Names) -> Catalog:
    """Return what the two schemas hold, free of schema names; a missing schema holds nothing.

    Reads `pg_catalog` only, so any role can call it; leaves the transaction as it was, with its
    search path. Objects of extensions and of this tool are left out.
    """
    parameters = {"gacl": names.gacl, "col": names.col, "tool_tables": list(TOOL_TABLES)}
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("catalog"), parameters)
        rows: list[tuple[str, str, str, str]] = cursor.fetchall()
    around = [(kind, name) for role, kind, name, _ in rows if role == "extension"]
    known = [name for kind, name in around if kind == "schema"]
    schemas = frozenset([names.gacl, names.col, "public", *known])
    shadowed = frozenset(name for kind, name in around if kind == "shadowed")
    return Catalog.of(
        _fact(role, kind, name, definition, schemas, shadowed)
        for role, kind, name, definition in rows
        if role in ("gacl", "col")
    )


def _fact(
    role: str,
    kind: str,
    name: str,
    definition: str,
    schemas: frozenset[str],
    shadowed: frozenset[str],
) -> tuple[str, str, str, str]:
    """Return the fact without schemas; the name of a function holds the types of its arguments."""
    if kind == "sequence":
        return role, kind, name, definition  # the query wrote it: no schema, and not SQL
    if kind == "function":
        name = unqualified(name, schemas)
    return role, kind, name, unqualified(definition, schemas, shadowed)
