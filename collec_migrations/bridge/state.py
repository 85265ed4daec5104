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
    """Return the state of a pair; reads only."""
    recorded = recorded_version(cursor, names.col)
    gacl_tables = _tables(cursor, names.gacl)
    past = history.read(cursor, names.gacl)
    assumed = recorded if gacl_tables else None
    own_past = history.read(cursor, names.col)
    return State(
        recorded=recorded,
        rights_version=past[-1].version if past else assumed,
        col_exists=_schema_exists(cursor, names.col),
        col_tables=_tables(cursor, names.col),
        gacl_tables=gacl_tables,
        col_removed=bool(own_past and own_past[-1].version is None),
        gacl_removed=bool(past and past[-1].version is None),
    )


def recorded_version(cursor: Cursor, schema: str) -> str | None:
    """Return the version in Alembic's table in that schema, or None.

    Raises `UntrustedTable` for what is there by that name and is more than a plain table: to read
    or to write a view, a rule or a trigger runs code of the schema's owner as whoever we are.
    """
    cursor.execute(statement("plain_table"), {"schema": schema, "table": VERSION_TABLE})
    found = cursor.fetchone()
    if found is None:
        return None
    _, owner, _, beyond = found
    if beyond:
        raise UntrustedTable(
            f"{VERSION_TABLE} in the schema {schema!r} is not Alembic's plain table: {beyond[0]}",
            hint=f"Ask {owner!r}, its owner, why; Alembic's has one column and a primary key.",
        )
    cursor.execute(f"select max(version_num) from {quoting.identifier(schema)}.{VERSION_TABLE}")
    version = _value(cursor)
    return None if version is None else str(version)


def _tables(cursor: Cursor, schema: str) -> int:
    cursor.execute(
        "select count(*) from pg_catalog.pg_class c"
        " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = %s and c.relkind in ('r', 'p') and c.relname <> all (%s)",
        (schema, list(TOOL_TABLES)),
    )
    return int(str(_value(cursor)))


def _schema_exists(cursor: Cursor, schema: str) -> bool:
    cursor.execute(
        "select exists (select 1 from pg_catalog.pg_namespace where nspname = %s)", (schema,)
    )
    return bool(_value(cursor))


def _value(cursor: Cursor) -> object:
    row = cursor.fetchone()
    return row[0] if row else None
