"""Read what a database says about its own version: the application's rows, Alembic's, ours."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psycopg2 import extensions, sql

from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of `dbversion`."""

    id: int
    number: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One row of the tool's history."""

    version: str
    script: str
    checksum: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the database says about itself."""

    has_dbversion: bool = False
    dbversion: tuple[Row, ...] = ()
    """By id."""
    parameters: frozenset[int] | None = None
    """The ids in `dbparam`; None: no such table, or it may not be read."""
    dataset_types: frozenset[int] | None = None
    """The ids in `dataset_type`; None as above."""
    alembic: tuple[str, ...] = ()
    history: tuple[Applied, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Tables that are there and that this role may not read."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The versions that `dbversion` names, by id."""
        return tuple(row.number for row in self.dbversion)


def read_records(connection: extensions.connection, names: Names) -> Records:
    """Return what the data schema's tables of versions hold; two round trips."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("records"), {"gacl": names.gacl, "col": names.col})
        tables: list[tuple[str, str, bool]] = cursor.fetchall()
        readable = [(schema, table) for schema, table, may_read in tables if may_read]
        rows: list[tuple[str, str, str]] = []
        if readable:
            cursor.execute(sql.SQL(" union all ").join(map(_select, *zip(*readable, strict=True))))
            rows = cursor.fetchall()
    found = {table: [json.loads(row) for schema, name, row in rows
                     if name == table and schema == names.col]
             for schema, table in readable if schema == names.col}  # fmt: skip
    return Records(
        has_dbversion=any(table[:2] == (names.col, "dbversion") for table in tables),
        dbversion=tuple(sorted(_versions(found.get("dbversion", [])), key=lambda row: row.id)),
        parameters=_ids("dbparam_id", found.get("dbparam")),
        dataset_types=_ids("dataset_type_id", found.get("dataset_type")),
        alembic=tuple(str(row.get("version_num")) for row in found.get("alembic_version", [])),
        history=tuple(map(_applied, found.get("migration_history", []))),
        unreadable=tuple(f"{schema}.{table}" for schema, table, may in tables if not may),
    )


def _select(schema: str, table: str) -> sql.Composable:
    return sql.SQL(statement("rows")).format(
        schema_name=sql.Literal(schema),
        table_name=sql.Literal(table),
        table=sql.Identifier(schema, table),
    )


Json = dict[str, Any]
"""A row as the server turned it into JSON: a damaged table may lack or have any column."""


def _versions(rows: list[Json]) -> Iterator[Row]:
    for row in rows:
        if row.get("dbversion_number") is not None:
            yield Row(
                id=_number(row.get("dbversion_id")) or 0,
                number=str(row["dbversion_number"]),
                date=str(row.get("dbversion_date") or ""),
            )


def _ids(column: str, rows: list[Json] | None) -> frozenset[int] | None:
    if rows is None:
        return None
    found = (_number(row.get(column)) for row in rows)
    return frozenset(number for number in found if number is not None)


def _number(value: object) -> int | None:
    """Return an id, None when the column holds something else."""
    try:
        return int(str(value))
    except ValueError:
        return None


def _applied(row: Json) -> Applied:
    return Applied(
        version=str(row.get("version") or ""),
        script=str(row.get("script") or ""),
        checksum=str(row.get("checksum") or ""),
        kind=str(row.get("kind") or ""),
    )
