"""The tables of a catalog, with their columns, keys and links. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from collec_migrations.catalog import Catalog, Fact
from collec_migrations.errors import UsageError
from collec_migrations.names import Names

_PRIMARY = re.compile(r"PRIMARY KEY \((.+?)\)")
_FOREIGN = re.compile(r"FOREIGN KEY \((?P<here>.+?)\) REFERENCES (?P<table>[^\s(]+)\s*\(")
_SHORT = {
    "character varying": "varchar",
    "double precision": "double",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column, as a picture shows it."""

    name: str
    type: str
    """In short: without length, default or what else there is to it."""
    required: bool
    is_primary: bool
    is_foreign: bool

    @property
    def keys(self) -> str:
        """Return PK, FK, both or nothing."""
        return ",".join(["PK"] * self.is_primary + ["FK"] * self.is_foreign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A foreign key: the row of a table belongs to one of another."""

    parent: tuple[str, str]
    """Role and name of the table that is pointed at."""
    child: tuple[str, str]
    column: str
    """Of several, the first."""
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of a role, and of the schema that has it at a site."""

    role: str
    name: str
    schema: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Return role and name."""
        return self.role, self.name

    @property
    def shown(self) -> str:
        """Return the name with its schema's."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """All tables of a version and their links, in alphabetical order."""

    tables: tuple[Table, ...]
    links: tuple[Link, ...]


def of(catalog: Catalog, names: Names) -> Schema:
    """Return the tables and links of a catalog; keys come first among the columns."""
    schemas = {"gacl": names.gacl, "col": names.col}
    facts = sorted(catalog.facts)
    known = {(fact.role, fact.name) for fact in facts if fact.kind == "table"}
    primary = set(_primary(facts))
    foreign = list(_foreign(facts, known))
    columns: dict[tuple[str, str], list[Column]] = {name: [] for name in sorted(known)}
    for fact in facts:
        table, _, name = fact.name.partition(".")
        if fact.kind == "column" and (fact.role, table) in known:
            place = (fact.role, table, name)
            is_foreign = any((*child, column) == place for _, child, column in foreign)
            columns[fact.role, table].append(_column(fact, name, place in primary, is_foreign))
    required = {
        (role, table, one.name): one.required
        for (role, table), every in columns.items()
        for one in every
    }
    return Schema(
        tables=tuple(
            Table(
                role=role,
                name=name,
                schema=schemas[role],
                columns=tuple(sorted(every, key=_order)),
            )
            for (role, name), every in columns.items()
        ),
        links=tuple(
            Link(parent=parent, child=child, column=column, required=required[*child, column])
            for parent, child, column in foreign
        ),
    )


def _primary(facts: list[Fact]) -> Iterator[tuple[str, str, str]]:
    for fact in facts:
        found = _PRIMARY.match(fact.definition) if fact.kind == "constraint" else None
        for column in found[1].split(", ") if found else ():
            yield fact.role, fact.name.partition(".")[0], column.strip('"')


def _foreign(
    facts: list[Fact], known: set[tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], tuple[str, str], str]]:
    for fact in facts:
        found = _FOREIGN.match(fact.definition) if fact.kind == "constraint" else None
        if not found:
            continue
        other = "gacl" if fact.role == "col" else "col"
        parent = (fact.role, found["table"].strip('"'))
        if parent not in known:
            parent = (other, parent[1])  # catalogs are free of schema names
        child = (fact.role, fact.name.partition(".")[0])
        yield parent, child, found["here"].split(", ")[0].strip('"')


def _column(fact: Fact, name: str, is_primary: bool, is_foreign: bool) -> Column:
    kind = re.split(r" (?:not null|default|generated|collate)\b", fact.definition)[0]
    plain = re.sub(r"\(.*?\)", "", kind)
    return Column(
        name=name,
        type=_SHORT.get(plain, plain),
        required=" not null" in fact.definition,
        is_primary=is_primary,
        is_foreign=is_foreign,
    )


def _order(column: Column) -> tuple[bool, bool, str]:
    return not column.is_primary, not column.is_foreign, column.name


def around(schema: Schema, name: str) -> Schema:
    """Return a table and those that it is tied to; raise `UsageError` when it is not there."""
    if all(table.name != name for table in schema.tables):
        raise UsageError(
            f"this version has no table {name!r}",
            hint="Without --around, all tables of the version are shown.",
        )
    links = tuple(one for one in schema.links if name in (one.parent[1], one.child[1]))
    keys = {key for one in links for key in (one.parent, one.child)}
    tables = tuple(one for one in schema.tables if one.key in keys or one.name == name)
    return Schema(tables=tables, links=links)
