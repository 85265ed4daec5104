"""SQL that a script puts together as it runs: its text with the unknown names left open."""

import re
from collections.abc import Sequence
from typing import Any

from pglast import ast

from collec_migrations.locks import nodes
from collec_migrations.locks.modes import Mode
from collec_migrations.locks.walk import Walk
from collec_migrations.locks.world import ANY, PLACEHOLDER, Relation
from collec_migrations.postgres import quoting

_SPECIFIER = re.compile(r"%(?:(%)|(?:(\d+)\$)?-?\d*([IsL]))")
OPEN = quoting.identifier(PLACEHOLDER)


def text(node: Any) -> str | None:
    """Return the SQL that an expression gives, unknown parts as placeholders; None: no idea."""
    constant = nodes.text_of(node)
    if constant is not None:
        return constant
    if nodes.is_a(node, ast.FuncCall) and node.funcname[-1].sval == "format" and node.args:
        return _formatted(node.args)
    if nodes.is_a(node, ast.A_Expr) and node.name[-1].sval == "||":
        left, right = text(node.lexpr), text(node.rexpr)
        if left is None and right is None:
            return None
        return (OPEN if left is None else left) + (OPEN if right is None else right)
    return None


def meant(walk: Walk, query: Any) -> Sequence[Relation] | None:
    """Return the relations that a loop's query can be about; None: it does not tell.

    They are those that the query names by `regclass` constants, else all of the schemas
    whose names it compares with.
    """
    constants = [node for node in nodes.below(query) if nodes.text_of(node) is not None]
    named = [nodes.name_in(nodes.text_of(node) or "") for node in _relations(query)]
    tables = [walk.world.find(*name) for name in named if name and name[0] != "pg_catalog"]
    if any(name and name[0] for name in named):
        found = [table for table in tables if table is not None]
        along = [item for table in found for item in walk.world.sequences_of(table)]
        return tuple(dict.fromkeys((*found, *along)))
    schemas = {nodes.text_of(node) or "" for node in constants}
    if any(_about_schemas(node) for node in nodes.below(query)):
        return tuple(item for schema in sorted(schemas) for item in walk.world.within(schema))
    return None


def anything(walk: Walk) -> None:
    """Note that a statement could lock any table."""
    with walk.doubtful():
        walk.lock(ANY, Mode.ACCESS_EXCLUSIVE)


def _relations(query: Any) -> list[Any]:
    """Return the constants that a query turns into a relation."""
    found = []
    for node in nodes.below(query):
        if nodes.is_a(node, ast.TypeCast) and node.typeName.names[-1].sval == "regclass":
            found.append(node.arg)
        elif nodes.is_a(node, ast.FuncCall) and node.funcname[-1].sval == "to_regclass":
            found.append(node.args[0])
    return found


def _about_schemas(node: Any) -> bool:
    return nodes.is_a(node, ast.ColumnRef) and getattr(node.fields[-1], "sval", "") == "nspname"


def _formatted(arguments: Sequence[Any]) -> str | None:
    pattern = nodes.text_of(arguments[0])
    if pattern is None:
        return None
    given = list(arguments[1:])
    taken = 0

    def fill(match: re.Match[str]) -> str:
        nonlocal taken
        percent, position, kind = match.groups()
        if percent:
            return "%"
        taken = int(position) if position else taken + 1
        value = nodes.text_of(given[taken - 1]) if taken <= len(given) else None
        return _filled(kind, value)

    return _SPECIFIER.sub(fill, pattern)


def _filled(kind: str, value: str | None) -> str:
    if kind == "L":
        return quoting.literal(PLACEHOLDER if value is None else value)
    if value is None:
        return OPEN
    return quoting.identifier(value) if kind == "I" else value
