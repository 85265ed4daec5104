"""`collec-migrations diagram`: the chain, or the schema of a version, as Mermaid text.

Forges and editors draw it (mermaid.js.org). Made from the catalogs alone.
"""

import re
from collections.abc import Iterator
from typing import Annotated, NamedTuple

import typer

from collec_migrations import versions
from collec_migrations.catalog import Catalog, Fact
from collec_migrations.cli import options, render
from collec_migrations.errors import UnknownVersion, UsageError
from collec_migrations.names import Names

_PRIMARY = re.compile(r"PRIMARY KEY \((.+?)\)")
_FOREIGN = re.compile(r"FOREIGN KEY \((?P<here>.+?)\) REFERENCES (?P<table>[^\s(]+)\s*\(")
_SHORT = {
    "character varying": "varchar",
    "double precision": "double",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}
_NOT_IN_A_TYPE = re.compile(r"[^\w\[\]]+")
Table = tuple[str, str]
"""Role and name."""


class Link(NamedTuple):
    """A foreign key: the row of a table belongs to one of another."""

    parent: Table
    child: Table
    column: str
    """Of several, the first."""


class Column(NamedTuple):
    """A column, as a picture shows it."""

    name: str
    type: str
    """In short: without length, default or what else there is to it."""
    required: bool
    keys: str
    """PK, FK, both or nothing."""


class Schema(NamedTuple):
    """All tables of a version and their links, in alphabetical order."""

    tables: dict[Table, list[Column]]
    links: list[Link]


def diagram(
    version: Annotated[
        str | None,
        typer.Argument(
            help="Draw the tables of this version; left out: the chain.",
            autocompletion=options.known_versions,
        ),
    ] = None,
    around: Annotated[
        str | None, typer.Option("--around", help="Only this table and those that it is tied to.")
    ] = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    as_json: options.Json = False,
) -> None:
    """Draw the chain, or the tables of a version, as Mermaid text."""
    names = Names.parse(gacl=gacl or Names().gacl, col=col or Names().col)
    if version is None:
        if around:
            raise UsageError("--around needs a version", hint="diagram 26.2 --around sample")
        lines = ["flowchart TB", *_chain()]
    elif version not in versions.VERSIONS:
        raise UnknownVersion(
            f"there is no version {version!r}", hint=f"Known: {', '.join(versions.VERSIONS)}."
        )
    else:
        found = schema(versions.upgraded(version))
        lines = ["erDiagram", *_tables(_around(found, around) if around else found, names)]
    text = "\n".join(lines) + "\n"
    if as_json:
        render.write_json({"version": version, "mermaid": text})
    else:
        typer.echo(text, nl=False)


def _chain() -> Iterator[str]:
    """Yield a flow chart: boxes for versions of the chain, rounded ones for later versions."""
    in_chain = versions.in_chain()
    before = None
    for number, version in enumerate(versions.VERSIONS):
        now = versions.upgraded(version)
        text = f'"{version}<br/>{len(_names(now, "table"))} tables"'
        known = version in in_chain
        yield f"  v{number}[{text}]" if known else f"  v{number}({text}):::wrapped"
        if before is not None:
            changes = "<br/>".join(_changes(before, now))
            arrow = "-->" if known else "-.->"
            change = f'|"{changes}"|' if changes else ""
            yield f"  v{number - 1} {arrow}{change} v{number}"
        before = now
    yield "  classDef wrapped stroke-dasharray: 4 3"


def _changes(before: Catalog, now: Catalog) -> Iterator[str]:
    """Yield what a step makes and drops (a renaming is both): `+3 −4 tables`."""
    for kind in ("table", "column"):
        old, new = _names(before, kind), _names(now, kind)
        signs = (("+", new - old), ("\N{MINUS SIGN}", old - new))
        numbers = [f"{sign}{len(names)}" for sign, names in signs if names]
        if numbers:
            yield f"{' '.join(numbers)} {kind if numbers == ['+1'] else f'{kind}s'}"


def _names(catalog: Catalog, kind: str) -> frozenset[Table]:
    tables = {(fact.role, fact.name) for fact in catalog.facts if fact.kind == "table"}
    return frozenset(
        (fact.role, fact.name)
        for fact in catalog.facts
        if fact.kind == kind and (fact.role, fact.name.partition(".")[0]) in tables
    )


def schema(catalog: Catalog) -> Schema:
    """Return the tables and links of a catalog; keys come first among the columns."""
    ordered = sorted(catalog.facts)
    tables: dict[Table, list[Column]] = {
        (fact.role, fact.name): [] for fact in ordered if fact.kind == "table"
    }
    primary: set[tuple[Table, str]] = set()
    links: list[Link] = []
    for fact in ordered:
        table = (fact.role, fact.name.partition(".")[0])
        if fact.kind == "constraint" and (key := _PRIMARY.match(fact.definition)):
            primary |= {(table, one.strip('"')) for one in key[1].split(", ")}
        elif fact.kind == "constraint" and (key := _FOREIGN.match(fact.definition)):
            parent = (fact.role, key["table"].strip('"'))
            if parent not in tables:  # catalogs are free of schema names
                parent = ("gacl" if fact.role == "col" else "col", parent[1])
            links.append(Link(parent, table, key["here"].split(", ")[0].strip('"')))
    foreign = {(link.child, link.column) for link in links}
    for fact in ordered:
        table = (fact.role, fact.name.partition(".")[0])
        if fact.kind == "column" and table in tables:
            tables[table].append(_column(fact, table, primary, foreign))
    for columns in tables.values():
        columns.sort(key=lambda one: ("PK" not in one.keys, "FK" not in one.keys, one.name))
    return Schema(tables, links)


def _column(
    fact: Fact, table: Table, primary: set[tuple[Table, str]], foreign: set[tuple[Table, str]]
) -> Column:
    kind = re.split(r" (?:not null|default|generated|collate)\b", fact.definition)[0]
    plain = re.sub(r"\(.*?\)", "", kind)
    name = fact.name.partition(".")[2]
    keys = ["PK"] * ((table, name) in primary) + ["FK"] * ((table, name) in foreign)
    required = " not null" in fact.definition
    return Column(name, _SHORT.get(plain, plain), required, ",".join(keys))


def _around(found: Schema, name: str) -> Schema:
    """Return a table and those that it is tied to; raise `UsageError` when it is not there."""
    if all(table != name for _, table in found.tables):
        raise UsageError(
            f"this version has no table {name!r}",
            hint="Without --around, all tables of the version are shown.",
        )
    links = [one for one in found.links if name in (one.parent[1], one.child[1])]
    keys = {key for one in links for key in (one.parent, one.child)}
    return Schema({key: columns for key, columns in found.tables.items()
                   if key in keys or key[1] == name}, links)  # fmt: skip


def _tables(found: Schema, names: Names) -> Iterator[str]:
    """Yield a diagram of tables and links."""
    for (role, table), columns in found.tables.items():
        # A double quote would end the text.
        shown = f"{names.by_default_name[role]}.{table}".replace('"', "#quot;")
        yield f'  {role}_{table}["{shown}"] {{'
        for column in columns:
            words = (_NOT_IN_A_TYPE.sub("_", column.type), column.name, column.keys)
            yield f"    {' '.join(filter(None, words))}"
        yield "  }"
    for link in found.links:
        required = {one.name for one in found.tables[link.child] if one.required}
        one = "||" if link.column in required else "|o"
        yield f"  {'_'.join(link.parent)} {one}--o{{ {'_'.join(link.child)} : {link.column}"
