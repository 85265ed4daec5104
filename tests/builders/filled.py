"""Rows in every table and every column of a version, made from its catalog: always the same ones.

The first two rows of a table hold a value in each column, the third holds none where it may. They
come beside the rows that are there, with ids of their own.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from functools import cache

from psycopg2 import extensions, sql

from collec_migrations import versions
from collec_migrations.names import Names
from collec_migrations.testing.sample_data import inventory
from tests.builders import schema
from tests.builders.schema import Key, Table

ROWS = 3
FIRST_ID = 101
NEVER_NULL = (
    ("identifier_type", "identifier_type_code"),
    ("object", "trashed"),
    ("object", "last_movement_id"),
)
"""Columns in which a null stops a step, as its check says, or means the same as false, or is wrong
beside the rows: each object has a movement, the last of which the step to 24.0 computes anew."""
OWN_ROWS = ("dbversion",)
"""Tables whose rows are the version's own."""


def fill(
    connection: extensions.connection, names: Names, version: str, *, without: str = ""
) -> None:
    """Insert the rows for a version, `without` values in columns of a name; the caller commits."""
    with inventory.unchecked(connection), connection.cursor() as cursor:
        for table in tables(version).values():
            place = sql.Identifier(names.by_default_name[table.role], table.name)
            present = _columns(cursor, names.by_default_name[table.role], table.name)
            columns = [one for one in table.columns if one.name in present - {without}]
            if not columns:
                continue  # an installer left it out
            for number in range(ROWS):
                row = [_value(version, table.key, column.name, number) for column in columns]
                values = [
                    sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(column.type))
                    for value, column in zip(row, columns, strict=True)
                ]
                listed = sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
                cursor.execute(
                    sql.SQL("insert into {} ({}) values ({})").format(
                        place, listed, sql.SQL(", ").join(values)
                    )
                )
    inventory.advance_sequences(connection, names, inventory.columns(connection, names))


@cache
def tables(version: str) -> Mapping[Key, Table]:
    """Return the tables of a version that are filled."""
    found = schema.tables(versions.upgraded(version))
    return {table.key: table for table in found if table.name not in OWN_ROWS}


def _columns(cursor: extensions.cursor, live: str, table: str) -> frozenset[str]:
    cursor.execute(
        "select column_name from information_schema.columns"
        " where table_schema = %s and table_name = %s",
        (live, table),
    )
    return frozenset(name for (name,) in cursor.fetchall())


def _value(version: str, key: Key, name: str, number: int) -> str | None:
    table = tables(version)[key]
    column = next(one for one in table.columns if one.name == name)
    if column.nullable and number == ROWS - 1 and (table.name, name) not in NEVER_NULL:
        return None
    for foreign_key in table.foreign_keys:
        if name in foreign_key.columns:
            target = foreign_key.targets[foreign_key.columns.index(name)]
            if foreign_key.table == key:
                return _value(version, key, target, number - 1) if number else None
            return _value(version, foreign_key.table, target, number)
    if (table.name, name) == ("request", "body") and versions.order(version) >= (2, 7):
        return f"SELECT {number}"
    return _plain(column.type, name, number)


def _plain(kind: str, name: str, number: int) -> str:
    made = {
        "integer": str(FIRST_ID + number),
        "bigint": str(FIRST_ID + number),
        "smallint": str(11 + number),
        "double precision": f"{number + 1}.5",
        "boolean": "true" if number == 0 else "false",
        "date": f"2024-02-0{number + 1}",
        "json": json.dumps([{"label": f"{name} {number}"}]),
        "jsonb": json.dumps([{"label": f"{name} {number}"}]),
        "bytea": f"\\x0{number}ff",
        "uuid": str(uuid.UUID(int=(hash_of(name) << 8) + number)),
        "geography(Point,4326)": f"SRID=4326;POINT({number} 45)",
        "text": f"{name} {number}",
    }
    if kind.startswith("timestamp"):
        return f"2024-02-0{number + 1} 03:04:05.60700{number}"
    if kind.startswith("numeric"):
        return f"{number + 1}.5"
    if kind.startswith("character"):
        size = kind.partition("(")[2].rstrip(")")
        return f"{name} {number}"[-int(size) :] if size else f"{name} {number}"
    return made[kind]


def hash_of(name: str) -> int:
    """Return a number that is the same in every process."""
    return int.from_bytes(name.encode()[:8], "big")


def rows(connection: extensions.connection, names: Names) -> dict[str, list[str]]:
    """Return all rows of the application's tables, as texts by the names of columns."""
    return dict(_rows(connection, names))


def _rows(connection: extensions.connection, names: Names) -> Iterator[tuple[str, list[str]]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select n.nspname, c.relname from pg_class c join pg_namespace n"
            " on n.oid = c.relnamespace where n.nspname in (%s, %s) and c.relkind in ('r', 'p')"
            " and c.relname not in ('dbversion', 'alembic_version', 'migration_history')"
            " order by 1, 2",
            (names.gacl, names.col),
        )
        for live, table in cursor.fetchall():
            cursor.execute(
                sql.SQL("select to_jsonb(t)::text from {} t")
                .format(sql.Identifier(live, table))
            )  # fmt: skip
            yield f"{live}.{table}", sorted(_sorted(row) for (row,) in cursor.fetchall())
    connection.rollback()


def _sorted(text: str) -> str:
    """Return a row without the order of its columns, which a step changes."""
    return json.dumps(json.loads(text), sort_keys=True)
