"""Read what a database says about its own version: the application's rows, Alembic's, ours."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from psycopg2 import extensions, sql

from collec_migrations.bridge import catalog_index, reference_rows
from collec_migrations.catalog import Catalog, Fact
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
class Position:
    """Where a sequence stands beside the column that draws from it."""

    role: str
    sequence: str
    column: str
    greatest: int | None
    next: int

    @property
    def is_behind(self) -> bool:
        """Say whether the next row would get an id that is taken."""
        return self.greatest is not None and self.next <= self.greatest


Json = dict[str, Any]
"""A row as the server turned it into JSON: a damaged table may lack or have any column."""


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
    rows: Mapping[tuple[str, str], list[Json]] = field(default_factory=dict)
    """By role and table; a table is missing here that is not there, or may not be read."""
    positions: tuple[Position, ...] = ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """The versions that `dbversion` names, by id."""
        return tuple(row.number for row in self.dbversion)


_TABLES = ("dbversion", "alembic_version", "migration_history", "aclaco", "logingestion",
           *reference_rows.COL)  # fmt: skip


def read_records(
    connection: extensions.connection, names: Names, observed: Catalog | None = None
) -> Records:
    """Return what the small tables of a pair hold, and where its sequences stand.

    Two round trips; sequences only where the catalog is given, which says who draws from them.
    """
    drawing = _drawing(observed)
    parameters = {
        "gacl": names.gacl,
        "col": names.col,
        "tables": sorted({*_TABLES, *(fact.name.split(".", 1)[0] for _, fact in drawing)}),
        "whole": [table for table in _TABLES if table != "logingestion"],
        "sequences": sorted({sequence for sequence, _ in drawing}),
    }
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("records"), parameters)
        found: list[tuple[str, str, bool, bool]] = cursor.fetchall()
        may = {(schema, name) for schema, name, _, readable in found if readable}
        selects = [
            _select(schema, table, observed)
            for schema, table, is_sequence, readable in found
            if readable and not is_sequence and table in _TABLES
        ]
        selects += [
            _position(names, sequence, fact)
            for sequence, fact in drawing
            if {
                (names.by_default_name[fact.role], sequence),
                (names.by_default_name[fact.role], table_of(fact)),
            }
            <= may
        ]
        rows: list[tuple[str, str, str]] = []
        if selects:
            cursor.execute(sql.SQL(" union all ").join(selects))
            rows = cursor.fetchall()
    read: dict[tuple[str, str], list[Json]] = {
        ("gacl" if schema == names.gacl else "col", table): []
        for schema, table, is_sequence, _ in found
        if (schema, table) in may and not is_sequence and table in _TABLES
    }
    positions: list[Position] = []
    for schema, table, row in rows:
        role = "gacl" if schema == names.gacl else "col"
        if table:
            read[role, table].append(json.loads(row))
        else:
            positions.append(Position(role=role, **json.loads(row)))
    asked = [(schema, table) for schema, table, is_sequence, _ in found
             if not is_sequence and table in _TABLES]  # fmt: skip
    return Records(
        has_dbversion=(names.col, "dbversion") in asked,
        dbversion=tuple(sorted(_versions(read.get(("col", "dbversion"), [])),
                               key=lambda row: row.id)),
        parameters=_ids("dbparam_id", read.get(("col", "dbparam"))),
        dataset_types=_ids("dataset_type_id", read.get(("col", "dataset_type"))),
        alembic=tuple(
            str(row.get("version_num")) for row in read.get(("col", "alembic_version"), [])
        ),
        history=tuple(map(_applied, read.get(("col", "migration_history"), []))),
        unreadable=tuple(
            f"{schema}.{table}" for schema, table in asked if (schema, table) not in may
        ),
        rows=read,
        positions=tuple(positions),
    )  # fmt: skip


def table_of(fact: Fact) -> str:
    """Return the table of a column."""
    return fact.name.split(".", 1)[0]


def _drawing(observed: Catalog | None) -> list[tuple[str, Fact]]:
    """Return the whole-numbered columns that draw from a sequence, each with it."""
    numbers = ("integer", "bigint", "smallint")
    return [
        (sequence, fact)
        for fact in sorted(observed.facts if observed else ())
        if fact.kind == "column" and fact.definition.startswith(numbers)
        and (sequence := catalog_index.sequence_of_default(fact.definition))
    ]  # fmt: skip


def _select(schema: str, table: str, observed: Catalog | None) -> sql.Composable:
    if table == "logingestion":
        return _known_login(schema, observed)
    return sql.SQL(statement("rows")).format(
        schema_name=sql.Literal(schema),
        table_name=sql.Literal(table),
        table=sql.Identifier(schema, table),
    )


def _known_login(schema: str, observed: Catalog | None) -> sql.Composable:
    """Return the query for the login that every installer makes, where it has the password that
    they give it; no other login is read."""
    columns = {fact.name for fact in observed.facts if fact.kind == "column"} if observed else set()
    if not {"logingestion.login", "logingestion.password"} <= columns:
        return sql.SQL("select {}, {}, null where false").format(
            sql.Literal(schema), sql.Literal("logingestion")
        )
    return sql.SQL(
        "select {schema}, 'logingestion', json_build_object('login', login)::text from {table}"
        " where login = 'admin' and password = {hash}"
    ).format(
        schema=sql.Literal(schema),
        table=sql.Identifier(schema, "logingestion"),
        hash=sql.Literal(sha256(f"{reference_rows.KNOWN_PASSWORD}admin".encode()).hexdigest()),
    )


def _position(names: Names, sequence: str, fact: Fact) -> sql.Composable:
    schema = names.by_default_name[fact.role]
    table, column = fact.name.split(".", 1)
    return sql.SQL(statement("sequence")).format(
        schema=sql.Literal(schema),
        sequence_name=sql.Literal(sequence),
        column_name=sql.Literal(fact.name),
        column=sql.Identifier(column),
        table=sql.Identifier(schema, table),
        sequence=sql.Identifier(schema, sequence),
    )


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
