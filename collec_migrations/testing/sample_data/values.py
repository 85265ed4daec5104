"""Values for a column that no query gives, from its type and its keys alone, as SQL.

Expressions are in `n`, the number of the row from 0 on, and `k`, the same after the ids that are
taken: no two rows of a table ever have the same `k`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg2
from psycopg2 import extensions, sql

from collec_migrations.testing.sample_data.inventory import Column, Keys

_ATTEMPTS = ("1", "POINT(1 2)", "(1,2)", "{}", "<a/>", "[1,2)", "2018-01-01", "192.0.2.1", "")
"""Texts of which a type of the site's own, or of an extension, takes one."""
NULL_EACH, NULL_AT = 5, 3


@dataclass(frozen=True, slots=True)
class Parent:
    """The values that a foreign key can have: consecutive ids, or those of an array."""

    first: int
    count: int
    array: str = ""

    def at(self, index: str) -> str:
        """Return the value of an index from 0 on."""
        if self.array:
            return f"({self.array})[1 + ({index})::integer]"
        return f"{self.first} + ({index})"


def value(connection: extensions.connection, column: Column, *, salt: int) -> str | None:
    """Return an expression for a column that refers to nothing; None if no value is known."""
    words = column.name.replace("_", " ")
    named = _literal(words)
    own = _literal(f"{column.table}.{column.name} {salt} ")
    match column.category, column.base:
        case "S", _ if column.type.endswith(("(1)", "(2)", "(3)", "(4)", "(5)")):
            return "to_hex(k)"
        case "S", _:
            # Every third text has what a script might trip over.
            return f"{named} || ' ' || k || case when mod(k, 3) = 0 then {_ODD} else '' end"
        case "B", _:
            return "mod(k, 2) = 0"
        case "N", "float4" | "float8" | "numeric":
            return "mod(k, 800) / 8.0"
        case "N", _:
            return "1 + mod(k, 20)"
        case "D", _:
            return "timestamp '2018-01-01 08:00' + mod(k, 50000) * interval '7 hours'"
        case "T", _:
            return "k * interval '1 minute'"
        case "E", _:
            return f"enum_first(null::{column.type})"
        case "A", _:
            return "'{}'"
        case _, "json" | "jsonb":
            return f"json_build_object({named}, k)::text"
        case _, "uuid":
            return f"md5({own} || k)"
        case _, "bytea":
            return "decode(md5(k::text), 'hex')"
    return _accepted(connection, column.type)


def choice(column: Column, keys: Keys, parents: Mapping[str, Parent], *, salt: int) -> str:
    """Return an expression for a column that refers to another table.

    Where only references make a unique key, its columns count through their combinations.
    """
    parent = parents[column.name]
    for unique in keys.unique:
        if column.name in unique and all(name in parents for name in unique):
            place = unique.index(column.name)
            before = 1
            for name in unique[:place]:
                before *= parents[name].count
            shift = f" + mod(n, {parents[unique[0]].count})" if place else ""
            return parent.at(f"mod(n / {before}{shift}, {parent.count})")
    return parent.at(f"mod(hashint4((n # {salt})::integer) & 2147483647, {parent.count})")


def combinations(keys: Keys, parents: Mapping[str, Parent], count: int) -> int:
    """Return how many of `count` rows the unique keys made of references allow."""
    for unique in keys.unique:
        if all(name in parents for name in unique):
            possible = 1
            for name in unique:
                possible *= parents[name].count
            count = min(count, possible)
    return count


def sometimes_null(expression: str) -> str:
    """Return an expression that is null in every fifth row."""
    return f"case when mod(n, {NULL_EACH}) <> {NULL_AT} then {expression} end"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_ODD = "' \"é'' %'"


def _accepted(connection: extensions.connection, type_: str) -> str | None:
    """Return a constant that a type takes, asking the server."""
    with connection.cursor() as cursor:
        for text in _ATTEMPTS:
            cursor.execute("savepoint sample_data_attempt")
            try:
                cursor.execute(sql.SQL("select {}::{}").format(sql.Literal(text), sql.SQL(type_)))
            except psycopg2.Error:
                cursor.execute("rollback to savepoint sample_data_attempt")
            else:
                return _literal(text)
            finally:
                cursor.execute("release savepoint sample_data_attempt")
    return None
