"""Read the facts of a pair of schemas from a server, and take their definitions apart."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import psycopg2
from psycopg2 import errorcodes, extensions

from collec_migrations.bridge.history import TOOL_TABLES
from collec_migrations.catalog import Catalog, Fact
from collec_migrations.errors import StatementFailed
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement

Key = tuple[str, str, str]
"""Role, kind, name."""
WORD = re.compile(r'"(?:[^"]|"")*"|[^\W\d][\w$]*')
FOREIGN_KEY = re.compile(r"FOREIGN KEY \((.*?)\) REFERENCES (\S+?)\((.*?)\)")
_NEXT_VALUE = re.compile(r"nextval\('((?:[^']|'')*)'::regclass\)")
_TOKEN = re.compile(
    rf"(?P<literal>'(?:[^']|'')*')(?P<cast>::reg[a-z]+)?"
    rf"|OPERATOR\((?P<home>{WORD.pattern})\.(?P<operator>[^)]+)\)"
    rf"|(?P<name>{WORD.pattern})(?P<dot>\.(?=(?P<next>[^\W\d][\w$]*\(?)|\"))?"
)
_NOTHING: frozenset[str] = frozenset()


def read_catalog(connection: extensions.connection, names: Names) -> Catalog:
    """Return what the two schemas hold, free of schema names; a missing schema holds nothing.

    One round trip. Reads `pg_catalog` only, so any role can call it; leaves the transaction as it
    was, with its search path. Objects of extensions and of this tool are left out.
    """
    parameters = {"gacl": names.gacl, "col": names.col, "tool_tables": list(TOOL_TABLES)}
    with libraries_present(), connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("catalog"), parameters)
        return catalog_of(cursor.fetchall(), names)


@contextmanager
def libraries_present() -> Iterator[None]:
    """Raise `StatementFailed` with what to do where the library of an extension is gone.

    An upgrade of the system can take PostGIS's: the server then cannot print a column's type.
    """
    try:
        yield
    except psycopg2.Error as error:
        if error.pgcode != errorcodes.UNDEFINED_FILE:
            raise
        raise StatementFailed(
            str(error).splitlines()[0],
            hint="Install the server's package of the extension (PostGIS) for this version of"
            " PostgreSQL, then as a superuser type: alter extension postgis update",
        ) from None


def catalog_of(rows: Iterable[tuple[str, str, str, str]], names: Names) -> Catalog:
    """Return the catalog of what the query gave: its definitions hold schema names."""
    rows = list(rows)
    around = [(kind, name) for role, kind, name, _ in rows if role == "extension"]
    known = [name for kind, name in around if kind == "schema"]
    schemas = frozenset([names.gacl, names.col, "public", *known])
    shadowed = frozenset(name for kind, name in around if kind == "shadowed")
    return Catalog.of(
        (
            role,
            kind,
            # The name of a function holds the types of its arguments.
            unqualified(name, schemas) if kind == "function" else name,
            # The query wrote that of a sequence: no schema, and not SQL.
            definition if kind == "sequence" else unqualified(definition, schemas, shadowed),
        )
        for role, kind, name, definition in rows
        if role in ("gacl", "col")
    )


def unqualified(
    definition: str, schemas: frozenset[str], shadowed: frozenset[str] = _NOTHING
) -> str:
    """Return the definition as it reads when all these schemas are in the search path.

    A literal is left as it is, but for names of objects: `nextval('col.x_seq'::regclass)`. A
    function whose name is `shadowed` by one of PostgreSQL's own keeps its schema.
    """
    if "." not in definition:
        return definition

    def replace(match: re.Match[str]) -> str:
        if match["literal"]:
            if not match["cast"]:
                return match[0]
            named = unqualified(match["literal"][1:-1].replace("''", "'"), schemas)
            return "'" + named.replace("'", "''") + "'" + match["cast"]
        if match["operator"]:
            return match["operator"] if bare(match["home"]) in schemas else match[0]
        if not match["dot"] or bare(match["name"]) not in schemas:
            return match[0]
        function = (match["next"] or "").endswith("(")
        return match[0] if function and match["next"][:-1] in shadowed else ""

    return _TOKEN.sub(replace, definition)


def by_key(catalog: Catalog) -> Mapping[Key, Fact]:
    """Return the facts by role, kind and name."""
    return {fact[:3]: fact for fact in catalog.facts}


def table_of(fact: Fact) -> str:
    """Return the table that a fact belongs to: empty when it belongs to none."""
    if fact.kind in ("column", "constraint", "trigger"):
        return fact.name.split(".", 1)[0]
    if fact.kind == "index":
        rest = fact.definition.removeprefix("on ").removeprefix("UNIQUE ").removeprefix("ONLY ")
        found = WORD.match(rest)
        return bare(found[0]) if found else ""
    if fact.kind == "sequence" and fact.definition:
        return fact.definition.removeprefix("owned by ").split(".", 1)[0]
    return fact.name if fact.kind == "table" else ""


def column_of(fact: Fact) -> str:
    """Return the column's own name, of a column or of an owned sequence."""
    text = fact.definition if fact.kind == "sequence" else fact.name
    return text.split(".", 1)[1] if "." in text else ""


@cache
def words(definition: str) -> frozenset[str]:
    """Return the identifiers (and keywords) of a definition, without quotes."""
    return frozenset(bare(word) for word in WORD.findall(definition))


def referenced(definition: str) -> str:
    """Return the table that a foreign key points at: empty when it is no foreign key."""
    _, found, rest = definition.partition(" REFERENCES ")
    match = WORD.match(rest) if found else None
    return bare(match[0]) if match else ""


def sequence_of_default(definition: str) -> str:
    """Return the sequence that a column's default draws from: empty when there is none."""
    found = _NEXT_VALUE.search(definition)
    return bare(found[1].replace("''", "'")) if found else ""


def bare(name: str) -> str:
    """Return an identifier without its quotes."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's definition in its parts; `default` is empty where there is none."""

    type: str
    not_null: bool
    default: str

    @classmethod
    def parse(cls, definition: str) -> "Column":
        """Return the parts of `type [not null] [default expression]`."""
        head, _, default = definition.partition(" default ")
        return cls(
            type=head.removesuffix(" not null"),
            not_null=head.endswith(" not null"),
            default=default,
        )
