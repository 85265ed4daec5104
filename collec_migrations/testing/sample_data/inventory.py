"""Which tables, columns and sequences two schemas have, and the ids that are taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from psycopg2 import extensions, sql

from collec_migrations.names import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column, with the sequence of its schema that its default draws from, if any."""

    role: str
    table: str
    name: str
    type: str
    sequence: str | None


def columns(connection: extensions.connection, names: Names) -> tuple[Column, ...]:
    """Return the columns of all tables of the two schemas."""
    query = (files(__package__) / "columns.sql").read_text("utf-8")
    with connection.cursor() as cursor:
        cursor.execute(query, {"gacl": names.gacl, "col": names.col})
        return tuple(
            Column(role=role, table=table, name=name, type=kind, sequence=sequence)
            for role, table, name, kind, sequence in cursor
        )


def greatest(
    connection: extensions.connection, schema: str, ids: Mapping[str, str]
) -> dict[str, int]:
    """Return the greatest id of each table, 0 when it is empty; `ids` names their columns."""
    if not ids:
        return {}
    highest = sql.SQL(" union all ").join(
        sql.SQL("select {}, coalesce(max({}), 0) from {}").format(
            sql.Literal(table), sql.Identifier(column), sql.Identifier(schema, table)
        )
        for table, column in ids.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(highest)
        return {str(table): int(value) for table, value in cursor}


def advance_sequences(
    connection: extensions.connection, names: Names, found: tuple[Column, ...]
) -> None:
    """Set every sequence to the greatest id that its columns hold, never back."""
    drawn: dict[tuple[str, str], list[Column]] = {}
    for column in found:
        if column.sequence is not None:
            drawn.setdefault((column.role, column.sequence), []).append(column)
    with connection.cursor() as cursor:
        for (role, sequence), users in drawn.items():
            schema = names.gacl if role == "gacl" else names.col
            cursor.execute(_advance(schema, sequence, users))


def _advance(schema: str, sequence: str, users: list[Column]) -> sql.Composed:
    """Return the statement that advances one sequence, unless no id is one that it could give."""
    highest = sql.SQL(", ").join(
        sql.SQL("(select max({}) from {})").format(
            sql.Identifier(user.name), sql.Identifier(schema, user.table)
        )
        for user in users
    )
    return sql.SQL(
        "select setval(format('%I.%I', {}, {})::regclass, highest) from (select greatest({},"
        " (select case when is_called then last_value end from {})) as highest) as used"
        " where highest > 0"
    ).format(sql.Literal(schema), sql.Literal(sequence), highest, sql.Identifier(schema, sequence))
