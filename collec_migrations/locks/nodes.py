"""Look at pglast's syntax trees, whose classes are generated and loosely typed."""

from collections.abc import Iterator
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError


def is_a(node: Any, *kinds: type) -> bool:
    """Return whether a node is of one of these classes; unlike isinstance it narrows nothing.

    What pglast declares may be missing (`None`) everywhere that the grammar never leaves out.
    """
    return isinstance(node, kinds)


def below(node: Any) -> Iterator[Any]:
    """Yield a node and all nodes below it."""
    if isinstance(node, tuple):
        for item in node:
            yield from below(item)
    elif isinstance(node, ast.Node):
        yield node
        for name in node:
            yield from below(getattr(node, name))


def name_in(text: str) -> tuple[str | None, str] | None:
    """Return schema and name of a relation that a text constant names; None: it names none."""
    try:
        statement: Any = parse_sql(f"table {text}")[0].stmt
        (named,) = statement.fromClause
    except (ParseError, ValueError, TypeError, AttributeError):
        return None
    return (named.schemaname, named.relname) if is_a(named, ast.RangeVar) else None


def text_of(node: Any) -> str | None:
    """Return the value of a text constant, also one that is cast; None for anything else."""
    if isinstance(node, ast.TypeCast):
        return text_of(node.arg)
    if isinstance(node, ast.A_Const) and isinstance(node.val, ast.String):
        return str(node.val.sval)
    return None
