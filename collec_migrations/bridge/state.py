"""What a pair of schemas says of itself before a run: recorded versions, and what is there."""

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge import history
from collec_migrations.errors import UntrustedTable
from collec_migrations.names import Names
from collec_migrations.postgres import quoting
from collec_migrations.postgres.queries import statement

VERSION_TABLE = "alembic_version"
TOOL_TABLES = (VERSION_TABLE, history.TABLE)
"""Tables that belong to this tool and to Alembic, not to the application: no part of a catalog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is recorded, and whether there is anything, in the two schemas of a pair."""

    recorded: str | None
    """Alembic's version of the data schema."""
    rights_version: str | None
    """Version of the rights schema: by its own history, else that of the data schema."""
    col_exists: bool
    col_tables: int
    """Tables in the data schema that are not the tool's own."""
    gacl_tables: int
    col_removed: bool = False
    """Whether the history ends with a removal: what tables there are, are the site's own."""
    gacl_removed: bool = False


def read(cursor: Cursor, names: Names) -> State:
    """Return the state of a pair; reads only, in three round trips."""
    schemas = [names.gacl, names.col]
    cursor.execute(
        statement("state"),
        {"schemas": schemas, "tool_tables": list(TOOL_TABLES), "history": history.TABLE},
    )
    found: dict[str, tuple[int, bool]] = {}
    for schema, tables, has_past, is_plain in cursor.fetchall():
        found[schema] = (tables, has_past)
        if has_past and not is_plain:
            raise UntrustedTable(
                f"{history.TABLE} in the schema {schema!r} has columns of types of its owner",
                hint="Ask the owner of the schema why; ours has types of PostgreSQL alone.",
            )
    readings = [_last(schema) for schema in schemas if found.get(schema, (0, False))[1]]
    if has_version_table(cursor, names.col):
        readings.append(_recorded(names.col))
    said: dict[tuple[str, str], str | None] = {}
    if readings:
        cursor.execute(" union all ".join(readings))
        said = {(table, schema): version for table, schema, version in cursor.fetchall()}
    past, own_past = ((history.TABLE, schema) for schema in schemas)
    recorded = said.get((VERSION_TABLE, names.col))
    gacl_tables = found.get(names.gacl, (0, False))[0]
    return State(
        recorded=recorded,
        rights_version=said.get(past, recorded if gacl_tables else None),
        col_exists=names.col in found,
        col_tables=found.get(names.col, (0, False))[0],
        gacl_tables=gacl_tables,
        col_removed=own_past in said and said[own_past] is None,
        gacl_removed=past in said and said[past] is None,
    )


def recorded_version(cursor: Cursor, schema: str) -> str | None:
    """Return the version in Alembic's table in that schema, or None; raise `UntrustedTable`."""
    if not has_version_table(cursor, schema):
        return None
    cursor.execute(_recorded(schema))
    ((_, _, version),) = cursor.fetchall()
    return None if version is None else str(version)


def has_version_table(cursor: Cursor, schema: str) -> bool:
    """Return whether Alembic's table is in that schema.

    Raises `UntrustedTable` for what is there by that name and is more than a plain table: to read
    or to write a view, a rule or a trigger runs code of the schema's owner as whoever we are.
    """
    cursor.execute(statement("plain_table"), {"schema": schema, "table": VERSION_TABLE})
    found = cursor.fetchone()
    if found is None:
        return False
    _, owner, _, beyond = found
    if beyond:
        raise UntrustedTable(
            f"{VERSION_TABLE} in the schema {schema!r} is not Alembic's plain table: {beyond[0]}",
            hint=f"Ask {owner!r}, its owner, why; Alembic's has one column and a primary key.",
        )
    return True


def _recorded(schema: str) -> str:
    """Return the query of the version in Alembic's table: that table, the schema, the version."""
    return (
        f"select '{VERSION_TABLE}', {quoting.literal(schema)}, max(version_num)::text"
        f" from {quoting.identifier(schema)}.{VERSION_TABLE}"
    )


def _last(schema: str) -> str:
    """Return the query of the last version in a schema's history; no row where it is empty."""
    return (
        f"(select '{history.TABLE}', {quoting.literal(schema)}, version::text"
        f" from {quoting.identifier(schema)}.{history.TABLE}"
        " order by migration_history_id desc limit 1)"
    )
