"""Read what a database holds, as far as the locks of a statement depend on it."""

import json
from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.locks import ForeignKey, Relation, World
from collec_migrations.postgres import quoting
from collec_migrations.postgres.queries import statement

VOLATILE = "select distinct proname::text from pg_catalog.pg_proc where provolatile = 'v'"


def read(cursor: Cursor, schemas: Sequence[str]) -> World:
    """Return all relations with owners and columns; sizes of the tables of these schemas."""
    cursor.execute(statement("relations"), {"schemas": list(schemas)})
    rows = cursor.fetchall()
    by_oid = {row[0]: _relation(row) for row in rows}
    for oid, *_, on, _, _, counters, uses in rows:
        relation = by_oid[oid]
        relation.on = by_oid.get(on)
        found = {column: by_oid.get(sequence) for column, sequence in json.loads(counters).items()}
        relation.counters = {column: item for column, item in found.items() if item is not None}
        relation.uses = tuple(by_oid[used] for used in uses if used in by_oid)
    world = World(version=cursor.connection.server_version, volatile=_volatile(cursor))
    for relation in by_oid.values():
        world.add(relation)
    world.keys = _keys(cursor, by_oid)
    return world


def count(cursor: Cursor, relation: Relation, column: str | None) -> int:
    """Return how many rows a table has, or how many values of a column are not null."""
    counted = "*" if column is None else quoting.identifier(column)
    table = f"{quoting.identifier(relation.schema)}.{quoting.identifier(relation.name)}"
    cursor.execute(f"select count({counted}) from {table}")
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def holds(cursor: Cursor, relation: Relation, column: str | None) -> int:
    """Return 1 when a table has any row, or a column any value, else 0: cheaper than counting."""
    condition = "" if column is None else f" where {quoting.identifier(column)} is not null"
    table = f"{quoting.identifier(relation.schema)}.{quoting.identifier(relation.name)}"
    cursor.execute(f"select exists (select 1 from {table}{condition})::int")
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _relation(row: Sequence[object]) -> Relation:
    _, schema, name, kind, owner, rows, size, _, on_column, columns, *_ = row
    return Relation(
        schema=str(schema),
        name=str(name),
        kind=str(kind),
        owner=str(owner),
        rows=None if rows is None else float(str(rows)),
        bytes=int(str(size)),
        on_column=str(on_column),
        columns=json.loads(str(columns)),
    )


def _volatile(cursor: Cursor) -> frozenset[str]:
    cursor.execute(VOLATILE)
    return frozenset(name for (name,) in cursor.fetchall())


def _keys(cursor: Cursor, by_oid: dict[int, Relation]) -> list[ForeignKey]:
    cursor.execute(statement("foreign_keys"))
    return [
        ForeignKey(
            name=name,
            table=by_oid[table],
            columns=tuple(columns),
            referenced=by_oid[referenced],
            referenced_columns=tuple(referenced_columns),
            writes=writes,
        )
        for name, table, referenced, columns, referenced_columns, writes in cursor.fetchall()
        if table in by_oid and referenced in by_oid
    ]
