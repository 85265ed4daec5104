"""Read what is needed of a pair of schemas: facts, owners and rights, small tables, sequences."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256
from typing import Any, NamedTuple

from psycopg2 import extensions, sql

from collec_migrations import versions
from collec_migrations.bridge import reference_rows, views
from collec_migrations.bridge.catalog_reader import (
    catalog_of,
    libraries_present,
    sequence_of_default,
    table_of,
)
from collec_migrations.bridge.history import TABLE, TOOL_TABLES, VERSION_TABLE
from collec_migrations.bridge.views import Returned
from collec_migrations.catalog import Catalog, Fact
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement

Json = dict[str, Any]
"""A row as the server turned it into JSON: a damaged table may lack or have any column."""
_WHOLE = ("dbversion", *TOOL_TABLES, "aclaco", *reference_rows.COL)
"""Tables that are read whole."""


class Owned(NamedTuple):
    """One object with its owner."""

    role: str
    kind: str
    name: str
    """Without schema; of a schema: its role."""
    owner: str
    lacking: str
    """Rights that the application's role does not have, separated by commas."""
    readable: bool
    """Whether this session may read it."""


@dataclass(frozen=True, kw_only=True)
class Owners:
    """All objects of a pair of schemas with their owners."""

    application: str = ""
    """The role of the application: the one given, else the owner of most tables."""
    majority: str = ""
    """The owner of most tables."""
    objects: tuple[Owned, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    """Name and schema."""

    @cached_property
    def readable(self) -> Mapping[tuple[str, str], bool]:
        """Whether this session may read each table and sequence, by role and name."""
        kinds = ("table", "sequence", "tool table")
        return {(one.role, one.name): one.readable for one in self.objects if one.kind in kinds}


class Position(NamedTuple):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the small tables of a pair hold, and where its sequences stand."""

    rows: Mapping[tuple[str, str], list[Json]] = field(default_factory=dict)
    """By role and table; a table is missing here that is not there, or may not be read."""
    unreadable: tuple[str, ...] = ()
    """Tables that are there and that this role may not read."""
    positions: tuple[Position, ...] = ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """The versions that `dbversion` names, by id."""
        rows = [one for one in self.rows.get(("col", "dbversion"), ())
                if one.get("dbversion_number") is not None]  # fmt: skip
        rows.sort(key=lambda row: _number(row.get("dbversion_id")) or 0)
        return tuple(str(row["dbversion_number"]) for row in rows)

    @property
    def alembic(self) -> tuple[str, ...]:
        """What Alembic's own table says."""
        return tuple(
            str(row.get("version_num")) for row in self.rows.get(("col", VERSION_TABLE), ())
        )

    @property
    def history(self) -> list[Json]:
        """The rows of the history of the data schema."""
        return self.rows.get(("col", TABLE), [])

    def ids(self, table: str) -> frozenset[int] | None:
        """Return the ids in a table of the data schema; None: not there, or not to be read."""
        rows = self.rows.get(("col", table))
        if rows is None:
            return None
        found = (_number(row.get(f"{table}_id")) for row in rows)
        return frozenset(number for number in found if number is not None)


def _number(value: object) -> int | None:
    """Return an id, None when the column holds something else."""
    try:
        return int(str(value))
    except ValueError:
        return None


Marked = list[tuple[str, int, int, list[str]]]
"""Schemas that hold tables named as the application's: see `data/queries/schemas.sql`."""


def read_facts(
    connection: extensions.connection,
    names: Names,
    *,
    role: str = "",
    marks: Mapping[str, list[str]] | None = None,
) -> tuple[Catalog, Owners, Marked]:
    """Return what is in the catalog of a pair, in one round trip.

    With `marks`, the tables to look for, also the schemas that hold some.
    """
    with libraries_present(), connection.cursor(cursor_factory=extensions.cursor) as cursor:
        prelude, query = statement("catalog").split(";\n\n", 1)
        text = (
            f"{prelude};\n\nselect 'fact', role, kind, name, definition, '', true from ({query}) f"
            f" union all select 'owner', o.* from ({statement('owners')}) o"
        )
        if marks:
            text += (
                " union all select 'marked', s.nspname::text, s.of_gacl::text, s.of_col::text,"
                f" pg_catalog.array_to_json(s.uses)::text, '', true from ({statement('schemas')}) s"
            )
        cursor.execute(text, _parameters(names, role) | dict(marks or {}))
        rows = cursor.fetchall()
    catalog = catalog_of((row[1:5] for row in rows if row[0] == "fact"), names)
    owners = _owners(row[1:] for row in rows if row[0] == "owner")
    marked = [(row[1], int(row[2]), int(row[3]), json.loads(row[4]))
              for row in rows if row[0] == "marked"]  # fmt: skip
    return catalog, owners, marked


def read_owners(connection: extensions.connection, names: Names, *, role: str = "") -> Owners:
    """Return the owners and missing rights; `role` is the application's, when it is known."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("owners"), _parameters(names, role))
        return _owners(cursor.fetchall())


def _parameters(names: Names, role: str) -> Json:
    return {
        "gacl": names.gacl,
        "col": names.col,
        "tool_tables": list(TOOL_TABLES),
        "whole": list(_WHOLE),
        "role": role,
    }


def _owners(found: Iterable[tuple[Any, ...]]) -> Owners:
    rows = [Owned(*row) for row in found]
    application = next((row for row in rows if row.role == "application"), None)
    return Owners(
        application=application.name if application else "",
        majority=application.owner if application else "",
        objects=tuple(row for row in rows if row.role in ("gacl", "col")),
        extensions=tuple((row.name, row.owner) for row in rows if row.role == "extension"),
    )


def read_records(
    connection: extensions.connection,
    names: Names,
    observed: Catalog,
    owners: Owners,
    *against: str,
) -> tuple[Records, tuple[Returned, ...]]:
    """Return what the small tables of a pair hold, and where its sequences stand: one trip.

    In it the views are compared with those of versions, if any are given.
    """
    schemas = names.by_default_name
    here = [
        (role, table, may)
        for (role, table), may in sorted(owners.readable.items())
        if (role, table) in {("gacl", "aclaco"), ("gacl", "logingestion")}
        or (role == "col" and table in _WHOLE)
    ]
    selects = [
        _known_login(schemas[role], observed)
        if table == "logingestion"
        else sql.SQL(statement("rows")).format(
            role=sql.Literal(role),
            table_name=sql.Literal(table),
            table=sql.Identifier(schemas[role], table),
        )
        for role, table, may in here
        if may
    ]
    selects += [
        sql.SQL(statement("sequence")).format(
            role=sql.Literal(fact.role),
            sequence_name=sql.Literal(sequence),
            column_name=sql.Literal(fact.name),
            column=sql.Identifier(fact.name.split(".", 1)[1]),
            table=sql.Identifier(schemas[fact.role], table_of(fact)),
            sequence=sql.Identifier(schemas[fact.role], sequence),
        )
        for sequence, fact in _drawing(observed)
        if (against or (fact.role, table_of(fact)) in _tables())
        and owners.readable.get((fact.role, sequence))
        and owners.readable.get((fact.role, table_of(fact)))
    ]
    rows: list[tuple[str, str, str]] = []
    asked = views.question(connection, names, observed, *against)
    if asked:
        selects.append(sql.SQL(f"select '', 'views', {views.ANSWER}"))
    if selects:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            query = sql.SQL(" union all ").join(selects).as_string(connection)
            cursor.execute(f"{asked}; {query}" if asked else query)
            rows = cursor.fetchall()
    found = [text for role, _, text in rows if not role]
    returned = views.answered(found[0], names, *against) if found else ()
    read: dict[tuple[str, str], list[Json]] = {
        (role, table): [] for role, table, may in here if may
    }
    positions: list[Position] = []
    for role, table, row in rows:
        if not role:
            continue
        if table:
            read[role, table].append(json.loads(row))
        else:
            positions.append(Position(role=role, **json.loads(row)))
    said = Records(
        rows=read,
        unreadable=tuple(f"{schemas[role]}.{table}" for role, table, may in here if not may),
        positions=tuple(positions),
    )
    return said, returned


@cache
def _tables() -> frozenset[tuple[str, str]]:
    """Return the tables of any version: a site's own may be thousands, and their ids are its."""
    return frozenset(
        (fact.role, fact.name)
        for version in versions.VERSIONS
        for fact in versions.upgraded(version).facts
        if fact.kind == "table"
    )


def _drawing(observed: Catalog) -> list[tuple[str, Fact]]:
    """Return the whole-numbered columns that draw from a sequence, each with it."""
    numbers = ("integer", "bigint", "smallint")
    return [
        (sequence, fact)
        for fact in sorted(observed.facts)
        if fact.kind == "column" and fact.definition.startswith(numbers)
        and (sequence := sequence_of_default(fact.definition))
    ]  # fmt: skip


def _known_login(schema: str, observed: Catalog) -> sql.Composable:
    """Return the query for the login that every installer makes, where it has the password that
    they give it; no other login is read."""
    columns = {fact.name for fact in observed.facts if fact.kind == "column"}
    if not {"logingestion.login", "logingestion.password"} <= columns:
        return sql.SQL("select 'gacl', 'logingestion', null where false")
    return sql.SQL(
        "select 'gacl', 'logingestion', json_build_object('login', login)::text from {table}"
        " where login = 'admin' and password = {hash}"
    ).format(
        table=sql.Identifier(schema, "logingestion"),
        hash=sql.Literal(sha256(f"{reference_rows.KNOWN_PASSWORD}admin".encode()).hexdigest()),
    )
