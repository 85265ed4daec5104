"""What each view and function of a version does, by the chain's own scripts; and what a site's do.

The definition of a view at a version is the newest `create [or replace] view` among the creation
script of 1.0 and the upgrades up to that version. Scripts qualify all names with `gacl` or `col`.

A view is judged by what it returns, not by its text: its query and the chain's run on the same
few rows, which stand in the place of its tables. A function is not called, whose body is its
owner's: it does the same where language, volatility and the words of its body are the same.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple
from zlib import crc32

from psycopg2 import extensions, sql

from collec_migrations import versions
from collec_migrations.bridge.catalog_reader import Column, unqualified
from collec_migrations.catalog import Catalog
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement
from collec_migrations.postgres.quoting import literal

READS: Mapping[str, frozenset[str]] = {
    "aclgroup": frozenset({"aclgroup"}),
    "last_borrowing": frozenset({"borrowing"}),
    "last_movement": frozenset({"storage", "movement", "container", "object", "movement_reason"}),
    "last_photo": frozenset({"document", "mime_type"}),
    "slots_used": frozenset(
        {"last_movement", "container", "container_type", "movement", "object", "storage"}
    ),
    "v_derivated_number": frozenset({"sample"}),
    "v_object_identifier": frozenset({"object_identifier", "identifier_type"}),
    "v_sample_parents": frozenset({"sample", "subsample", "object"}),
    "v_subsample_quantity": frozenset({"subsample", "sample", "sample_type"}),
}
"""The tables and views that each view reads at one version or another."""
_SCHEMAS = frozenset(["gacl", "col"])
_STATEMENT = re.compile(
    r"^(?:drop (?P<dropped>view|function)(?: if exists)? (?P<lost>\w+\.\w+)"
    r"|create (?:or replace )?view (?P<view>\w+\.\w+)(?:\s*\([^)]*\))? as\b(?P<query>.*?);[ \t]*$"
    r"|create (?:or replace )?function (?P<function>\w+\.\w+)"
    r"(?P<rest>.*?(?P<quote>\$\w*\$).*?(?P=quote).*?);[ \t]*$)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)


@cache
def queries(version: str) -> dict[str, str]:
    """Return the query of each view of a version, with no schema's name in it; all are in col."""
    return {
        name: unqualified(text, _SCHEMAS)
        for (kind, name), text in _known(version)
        if kind == "view"
    }


@cache
def functions(version: str) -> dict[str, str]:
    """Return the statement that makes each function of a version, with the names gacl and col."""
    return {
        name: f"create or replace function col.{name}{text}"
        for (kind, name), text in _known(version)
        if kind == "function"
    }


@cache
def _known(version: str) -> tuple[tuple[tuple[str, str], str], ...]:
    found: dict[tuple[str, str], str] = {}
    for script in _scripts(version):
        for match in _STATEMENT.finditer(script):
            if match["dropped"]:
                found.pop((match["dropped"].lower(), match["lost"].partition(".")[2]), None)
            elif match["view"]:
                found["view", match["view"].partition(".")[2]] = match["query"].strip()
            else:
                found["function", match["function"].partition(".")[2]] = match["rest"]
    return tuple(found.items())


def _scripts(version: str) -> Iterator[str]:
    folder = versions.scripts_folder()
    yield (folder / "col_create-1.0.sql").read_text("utf-8")
    for older, newer in versions.steps():
        path = folder / f"upgrade-{older}-{newer}.sql"
        if versions.order(newer) <= versions.order(version) and path.is_file():
            yield path.read_text("utf-8")


def reads(query: str, table: str) -> bool:
    """Say whether a query names a table or view."""
    return re.search(rf"\b{re.escape(table)}\b", query) is not None


def dependents(name: str, known: Mapping[str, str]) -> list[str]:
    """Return the views whose queries read a view, those that must be dropped first in front."""
    found: list[str] = []
    for other, query in known.items():
        if other != name and reads(query, name):
            found += [*dependents(other, known), other]
    return list(dict.fromkeys(found))


# What a site's views return ----------------------------------------------------------------------

PLAIN_TYPE = re.compile(r"[a-z ]+(\(\d+(,\d+)?\))?[a-z ]*(\[\])?")
"""A type of PostgreSQL's own: the checks of another are its owner's code, its name his text."""
ROWS = 24
"""Rows of each table of the sample."""


class Returned(NamedTuple):
    """A view of a site beside that of a version."""

    view: str
    """Or a function, as `name()`."""
    version: str
    same: bool | None
    """None: it cannot be told, one of both fails."""


def compare(
    connection: extensions.connection, names: Names, observed: Catalog, *against: str
) -> tuple[Returned, ...]:
    """Return whether each view returns what that of each version does, in one round trip; and
    whether each function that the version has is one that the chain made at some version.
    """
    asked = question(connection, names, observed, *against)
    if not asked:
        return ()
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(f"{asked}; select {ANSWER}")
        ((found,),) = cursor.fetchall()
    return answered(found, names, *against)


ANSWER = "pg_catalog.current_setting('collec_migrations.views')"
"""What the server found, to be read in the same round trip as the question."""


def question(
    connection: extensions.connection, names: Names, observed: Catalog, *against: str
) -> str:
    """Return the statements that compare, after which `ANSWER` holds; empty: nothing to compare.

    The queries run with common table expressions in the place of tables, so they need no right on
    them and read none of their rows; those of a site only if they call functions of PostgreSQL
    alone. One that fails leaves no ERROR in the server's log.
    """
    there = {fact.name for fact in observed.facts if fact[:2] == ("col", "view")}
    asked = [
        {
            "name": view,
            "version": version,
            "columns": ", ".join(
                sql.Identifier(one).as_string(connection) for one in _columns(version, view)
            ),
            "query": query,
            "tables": _tables(connection, version, view, observed),
        }
        for version in against
        if version in versions.BUILT_IN
        for view, query in queries(version).items()
        if view in there and _columns(version, view)
    ]
    if not asked:
        return ""
    path = ", ".join(extensions.quote_ident(name, connection) for name in (names.gacl, names.col))
    given = json.dumps(
        {"gacl": names.gacl, "col": names.col, "path": f"{path}, public, pg_temp", "asked": asked}
    )
    # The driver takes standard_conforming_strings to be what it was at first.
    return (
        f"select pg_catalog.set_config('collec_migrations.views', {literal(given)}, true),"
        " pg_catalog.set_config('collec_migrations.search_path',"
        " pg_catalog.current_setting('search_path'), true),"
        " pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);"
        f" do {literal(statement('views'))}"
    )


def answered(found: str, names: Names, *against: str) -> tuple[Returned, ...]:
    """Return what an answer says."""
    answer = json.loads(found)
    schemas = _SCHEMAS | {names.gacl, names.col}
    made: dict[str, set[tuple[str, str]]] = {}
    for name, body, attributes in answer["functions"]:
        made.setdefault(name, set()).add((attributes, _words(body, schemas)))
    return (
        *(Returned(**one) for one in answer["views"]),
        *(
            Returned(
                f"{name}()",
                version,
                any(
                    made[name] & _made(name, those, schemas)  # nearly always the version's own
                    for those in ((version,), versions.BUILT_IN)
                ),
            )
            for version in against
            for name in functions(version)
            if name in made
        ),
    )


_ATTRIBUTE = re.compile(r"language (\w+)|\b(immutable|stable|strict|security definer)\b", re.I)
_WORD = re.compile(r"""--[^\n]*|/\*.*?\*/|('(?:[^']|'')*'|"(?:[^"]|"")*")|(\w+|\S)""", re.DOTALL)


def _made(name: str, those: Sequence[str], schemas: frozenset[str]) -> set[tuple[str, str]]:
    """Return what a function is at versions: a step back may leave a later one."""
    found = set()
    for text in {functions(version).get(name, "") for version in those} - {""}:
        before, body, after = re.split(r"\$\w*\$", text)
        words = (first or second for first, second in _ATTRIBUTE.findall(f"{before} {after}"))
        found.add((" ".join(words).lower(), _words(body, schemas)))
    return found


def _words(body: str, schemas: frozenset[str]) -> str:
    """Return a body without comments, line ends, case and schemas: what is left is what it does."""
    found = _WORD.findall(unqualified(body, schemas))
    return " ".join(quoted or word.lower() for quoted, word in found if quoted or word).rstrip("; ")


@cache
def _columns(version: str, view: str) -> tuple[str, ...]:
    """Return the columns of a view of a version: what stands before each one's type."""
    facts = versions.upgraded(version).facts
    definition = next((fact.definition for fact in facts if fact[:3] == ("col", "view", view)), "")
    return tuple(one.split(" ")[0] for one in definition.split(", ") if one)


def _tables(connection: extensions.connection, version: str, view: str, observed: Catalog) -> str:
    """Return the sample as common table expressions: tables as observed, views as the chain's."""
    known = queries(version)
    needed = READS.get(view, frozenset())
    needed |= {one for name in needed & known.keys() - {view} for one in READS[name]}
    types: dict[str, dict[str, str]] = {}
    for fact in sorted(observed.facts):
        table, _, column = fact.name.partition(".")
        of_it = fact.kind == "column" and (fact.role == "gacl") == (table == "aclgroup")
        if of_it and table in needed and PLAIN_TYPE.fullmatch(Column.parse(fact.definition).type):
            types.setdefault(table, {})[column] = fact.definition
    found = [_sample(connection, table, types[table]) for table in sorted(types)]
    found += [f"{name} as ({known[name]})" for name in sorted(needed & known.keys() - {view})]
    return ", ".join(found)


def _sample(connection: extensions.connection, table: str, definitions: Mapping[str, str]) -> str:
    values = []
    for column, definition in definitions.items():
        kind = Column.parse(definition).type
        is_key = column == f"{table}_id" or (table, column) == ("object", "uid")
        value = "i" if is_key else _value(column, kind)
        if " not null" not in definition and not is_key:
            value = f"case when (i + {crc32(column.encode()) % 3}) % 3 <> 0 then {value} end"
        name = sql.Identifier(column).as_string(connection)
        values.append(f"cast({value} as {kind}) as {name}")
    return f"{table} as (select {', '.join(values)} from generate_series(1, {ROWS}) as i)"


def _value(column: str, kind: str) -> str:
    """Return the expression of a value in row `i`: moments come once, others are repeated."""
    spread = 1 + crc32(column.encode()) % 4
    if kind.startswith(("integer", "bigint", "smallint", "numeric", "double", "real")):
        return f"(i * {spread}) % 7 + 1"
    if kind.startswith(("timestamp", "date")):
        return f"timestamp '2017-01-01' + (i * {spread + 5}) % 29 * interval '1 day'"
    if kind == "boolean":
        return f"(i + {spread}) % 3 = 0"
    if kind.startswith("character") or kind == "text":
        return f"'v' || (i * {spread}) % 5"
    return "null"
