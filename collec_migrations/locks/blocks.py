"""Follow the code of a DO block: what runs for certain, what perhaps, and its dynamic SQL."""

from collections.abc import Callable, Sequence
from typing import Any

from pglast import ast, parse_plpgsql, parse_sql
from pglast.parser import ParseError

from collec_migrations.locks import dynamic, nodes, queries
from collec_migrations.locks.walk import Walk
from collec_migrations.locks.world import Relation

Follow = Callable[[Walk, Any], None]
Part = dict[str, Any]
"""A node of the tree that parse_plpgsql gives as JSON."""

BRANCHES = ("then_body", "else_body", "body")
LEAVING = ("PLpgSQL_stmt_return", "PLpgSQL_stmt_exit")


def follow(walk: Walk, sql: str, statement: Follow) -> None:
    """Note what a DO block does; `statement` follows one statement of SQL."""
    try:
        action = parse_plpgsql(sql)[0]["PLpgSQL_function"]["action"]
    except (ParseError, LookupError):
        # Another language, or more than the parser knows of this one.
        dynamic.anything(walk)
        return
    before = walk.certain
    _part(walk, action, statement)
    walk.certain = before


def _all(walk: Walk, parts: Sequence[Part], statement: Follow) -> None:
    for part in parts:
        _part(walk, part, statement)
        # What may have left the block makes all that follows uncertain.
        if walk.certain and not part.keys() & set(LEAVING) and _leaves(part):
            walk.certain = False


def _part(walk: Walk, part: Part, statement: Follow) -> None:
    ((kind, node),) = part.items()
    if kind == "PLpgSQL_stmt_block":
        _all(walk, node.get("body", ()), statement)
        with walk.doubtful():
            _exceptions(walk, node, statement)
    elif kind == "PLpgSQL_stmt_execsql":
        _sql(walk, node["sqlstmt"], statement)
    elif kind == "PLpgSQL_stmt_perform":
        _sql(walk, node["expr"], statement)
    elif kind == "PLpgSQL_stmt_dynexecute":
        _dynamic(walk, node["query"], statement)
    elif kind == "PLpgSQL_stmt_fors":
        _sql(walk, node["query"], statement)
        _loop(walk, node, dynamic.meant(walk, _query(node["query"])), statement)
    elif kind == "PLpgSQL_stmt_dynfors":
        _dynamic(walk, node["query"], statement)
        _loop(walk, node, None, statement)
    else:
        _other(walk, node, statement)


def _loop(walk: Walk, node: Part, candidates: Sequence[Relation] | None, statement: Follow) -> None:
    with walk.doubtful(candidates):
        _all(walk, node.get("body", ()), statement)


def _other(walk: Walk, node: Any, statement: Follow) -> None:
    """Follow the expressions of a statement, and its branches as what may happen."""
    for name, value in node.items() if isinstance(node, dict) else ():
        if name in BRANCHES:
            with walk.doubtful():
                _all(walk, value, statement)
        elif name in ("elsif_list", "case_when_list"):
            with walk.doubtful():
                for branch in value:
                    for inner in branch.values():
                        _other(walk, inner, statement)
        elif isinstance(value, dict) and "PLpgSQL_expr" in value:
            _expression(walk, value)


def _exceptions(walk: Walk, node: Part, statement: Follow) -> None:
    block = node.get("exceptions", {}).get("PLpgSQL_exception_block", {})
    for handler in block.get("exc_list", ()):
        _all(walk, handler["PLpgSQL_exception"].get("action", ()), statement)


def _leaves(part: Any) -> bool:
    if isinstance(part, dict):
        return bool(part.keys() & set(LEAVING)) or any(_leaves(item) for item in part.values())
    return isinstance(part, list) and any(_leaves(item) for item in part)


def _text(expression: Part) -> str:
    return str(expression["PLpgSQL_expr"]["query"])


def _query(expression: Part) -> Any:
    return tuple(raw.stmt for raw in parse_sql(_text(expression)))


def _sql(walk: Walk, expression: Part, statement: Follow) -> None:
    for node in _query(expression):
        statement(walk, node)


def _expression(walk: Walk, expression: Part) -> None:
    queries.follow(walk, _parsed(_text(expression)))


def _parsed(text: str) -> Any:
    """Return the tree of an expression, or of the value of an assignment."""
    for candidate in (f"select {text}", f"select {text.partition(':=')[2]}"):
        try:
            return parse_sql(candidate)[0].stmt
        except ParseError:
            continue
    return ()


def _dynamic(walk: Walk, expression: Part, statement: Follow) -> None:
    """Follow SQL that is put together when it runs, as far as its text is known."""
    tree = _parsed(_text(expression))
    queries.follow(walk, tree)
    text = dynamic.text(tree.targetList[0].val) if nodes.is_a(tree, ast.SelectStmt) else None
    try:
        known = parse_sql(text) if text else ()
    except ParseError:
        known = ()
    for raw in known:
        statement(walk, raw.stmt)
    if not known:
        dynamic.anything(walk)
