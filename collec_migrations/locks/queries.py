"""Locks of what reads and writes rows: select, insert, update, delete, merge."""

from typing import Any

from pglast import ast

from collec_migrations.locks import nodes
from collec_migrations.locks.modes import Mode
from collec_migrations.locks.walk import Walk
from collec_migrations.locks.world import PLACEHOLDER, Relation

COUNTING = ("nextval", "setval")
"""Functions that lock the sequence they are given."""


def follow(walk: Walk, node: Any, *, run: bool = True) -> None:
    """Note the locks of a query, or of any part of a statement that holds queries.

    Without `run` the query is only analysed, as the one of a view or function that is created.
    """
    _visit(walk, node, frozenset(), run=run)


def _visit(walk: Walk, node: Any, known: frozenset[str], *, run: bool) -> None:
    if isinstance(node, tuple):
        for item in node:
            _visit(walk, item, known, run=run)
        return
    if not nodes.is_a(node, ast.Node):
        return
    known = known | _common_names(node)
    target = _written(node)
    if target is not None:
        _write(walk, node, target, run=run)
    elif nodes.is_a(node, ast.RangeVar):
        _read(walk, node, known, Mode.ACCESS_SHARE, run=run)
    elif nodes.is_a(node, ast.FuncCall) and run:
        _call(walk, node)
    elif nodes.is_a(node, ast.SelectStmt) and node.lockingClause:
        for item in nodes.below(node.fromClause or ()):
            if nodes.is_a(item, ast.RangeVar):
                _read(walk, item, known, Mode.ROW_SHARE, run=run)
    for name in node:
        below_it = getattr(node, name)
        if below_it is not target or target is None:
            _visit(walk, below_it, known, run=run)


def _common_names(node: Any) -> frozenset[str]:
    clause = getattr(node, "withClause", None)
    return frozenset(item.ctename for item in clause.ctes) if clause else frozenset()


def _written(node: Any) -> Any:
    if nodes.is_a(node, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt):
        return node.relation
    return None


def _read(walk: Walk, node: Any, known: frozenset[str], mode: Mode, *, run: bool) -> None:
    if node.schemaname is None and node.relname in known:
        return
    for relation in walk.named(node.schemaname, node.relname):
        if run:
            walk.read(relation, mode)
        else:
            walk.lock(relation, mode)


def _write(walk: Walk, node: Any, target: Any, *, run: bool) -> None:
    for relation in walk.named(target.schemaname, target.relname):
        walk.lock(relation, Mode.ROW_EXCLUSIVE)
        if run:
            _follow_keys(walk, node, relation)
            _follow_defaults(walk, node, relation)


def _follow_keys(walk: Walk, node: Any, relation: Relation) -> None:
    """Note what foreign keys read to check the rows that are written: only if there are any."""
    columns = _columns(node)
    removing = nodes.is_a(node, ast.DeleteStmt, ast.MergeStmt)
    with walk.doubtful():
        for key in walk.world.keys_of(relation):
            if key.table is relation and not nodes.is_a(node, ast.DeleteStmt):
                if columns is None or columns & set(key.columns):
                    walk.lock(key.referenced, Mode.ROW_SHARE)
            elif not nodes.is_a(node, ast.InsertStmt) and (
                removing or columns is None or columns & set(key.referenced_columns)
            ):
                walk.lock(key.table, Mode.ROW_EXCLUSIVE if key.writes else Mode.ROW_SHARE)


def _follow_defaults(walk: Walk, node: Any, relation: Relation) -> None:
    """Note the sequences that give the columns which an insert leaves out."""
    if not nodes.is_a(node, ast.InsertStmt):
        return
    given = _columns(node)
    with walk.doubtful():
        for column, sequence in relation.counters.items():
            if given is None or column not in given:
                walk.lock(sequence, Mode.ROW_EXCLUSIVE)


def _columns(node: Any) -> frozenset[str] | None:
    """Return the columns that are written; None: all."""
    targets = node.cols if nodes.is_a(node, ast.InsertStmt) else getattr(node, "targetList", None)
    return frozenset(target.name for target in targets) if targets else None


def _call(walk: Walk, node: Any) -> None:
    """Note the sequence that a function is given by name."""
    if not node.args or node.funcname[-1].sval not in COUNTING:
        return
    text = nodes.text_of(node.args[0])
    named = (None, PLACEHOLDER) if text is None else nodes.name_in(text)
    for relation in walk.named(*named, ("sequence",)) if named else ():
        walk.lock(relation, Mode.ROW_EXCLUSIVE)
