"""Learn what views return for the rows of the sample, without touching a table."""

import json
import re
from collections.abc import Mapping, Sequence

import psycopg2
from psycopg2 import extensions, sql

from collec_migrations.bridge import columns, view_samples
from collec_migrations.bridge.unqualified import unqualified
from collec_migrations.catalog import Catalog
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement

PLAIN_TYPE = re.compile(r"[a-z ]+(\(\d+(,\d+)?\))?[a-z ]*(\[\])?")
"""A type of PostgreSQL's own: the checks of another are its owner's code, its name his text."""
Meanings = Mapping[str, view_samples.Rows | None]
"""What each view returned; None: it cannot be told."""


def read_meanings(
    connection: extensions.connection,
    names: Names,
    observed: Catalog,
    wanted: Sequence[view_samples.Expected],
) -> Meanings:
    """Return what the database's views make of the sample's rows.

    Each view's query runs with common table expressions in the place of its tables, so it needs
    no right on them and reads none of their rows. Two round trips when all goes well.
    """
    queries = _read_queries(connection, names, [one.view for one in wanted])
    asked = [(one, queries[one.view]) for one in wanted if one.view in queries]
    return _evaluate(connection, asked, _tables(observed)) if asked else {}


def _read_queries(
    connection: extensions.connection, names: Names, views: list[str]
) -> dict[str, str]:
    """Return the query of each view that is there, with no schema's name in it."""
    path = ", ".join(extensions.quote_ident(name, connection) for name in (names.gacl, names.col))
    parameters = {
        "gacl": names.gacl,
        "col": names.col,
        "views": views,
        "path": f"{path}, public, pg_temp",
    }
    schemas = frozenset([names.gacl, names.col])
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("views"), parameters)
        return {
            name: (query if visible else unqualified(query, schemas)).rstrip("; \n")
            for name, query, visible in cursor.fetchall()
            if name is not None
        }


def _evaluate(
    connection: extensions.connection,
    asked: list[tuple[view_samples.Expected, str]],
    tables: sql.Composable,
) -> dict[str, view_samples.Rows | None]:
    """Return what each query returns; one that fails is asked again without the others."""
    selects = [_select(one, query) for one, query in asked]
    text = sql.SQL("with {tables} {selects}").format(
        tables=tables, selects=sql.SQL(" union all ").join(selects)
    )
    try:
        found = dict(_fetch_within_savepoint(connection, text))
    except psycopg2.Error:
        if len(asked) == 1:
            return {asked[0][0].view: None}
        return {
            view: rows
            for one in asked
            for view, rows in _evaluate(connection, [one], tables).items()
        }
    return {
        one.view: view_samples.sorted_rows(
            [tuple(row[name] for name in one.columns) for row in json.loads(found[one.view])]
        )
        for one, _ in asked
    }


def _fetch_within_savepoint(
    connection: extensions.connection, text: sql.Composable
) -> list[tuple[str, str]]:
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        if connection.autocommit:
            cursor.execute(text)
            return cursor.fetchall()
        try:
            cursor.execute(sql.SQL("savepoint collec_migrations_view; {}").format(text))
            return cursor.fetchall()
        finally:
            cursor.execute("rollback to collec_migrations_view; release collec_migrations_view")


def _select(one: view_samples.Expected, query: str) -> sql.Composable:
    return sql.SQL(
        "select {view}, (select coalesce(json_agg(row_to_json(told)), '[]')::text"
        " from (select {columns} from ({query}) as viewed) as told)"
    ).format(
        view=sql.Literal(one.view),
        columns=sql.SQL(", ").join(map(sql.Identifier, one.columns)),
        query=sql.SQL(query),
    )


def _tables(observed: Catalog) -> sql.Composable:
    """Return the sample's tables as common table expressions, with the observed columns."""
    found: dict[str, dict[str, str]] = {}
    for fact in observed.facts:
        if fact.kind == "column":
            table, column = fact.name.split(".", 1)
            if table in view_samples.tables() and (fact.role == "gacl") == (table == "aclgroup"):
                kind = columns.Column.parse(fact.definition).type
                if PLAIN_TYPE.fullmatch(kind):
                    found.setdefault(table, {})[column] = kind
    return sql.SQL(", ").join(_table(name, found[name]) for name in sorted(found))


def _table(name: str, types: Mapping[str, str]) -> sql.Composable:
    rows = [
        sql.SQL("({})").format(
            sql.SQL(", ").join(
                sql.SQL("cast({} as {})").format(sql.Literal(row.get(column)), sql.SQL(kind))
                for column, kind in types.items()
            )
        )
        for row in view_samples.tables()[name]
    ]
    return sql.SQL("{name} ({columns}) as (values {rows})").format(
        name=sql.Identifier(name),
        columns=sql.SQL(", ").join(map(sql.Identifier, types)),
        rows=sql.SQL(", ").join(rows),
    )
