"""Columns of a table: what adding, dropping and retyping them costs."""

from typing import Any

from pglast import ast

from collec_migrations.locks import keys, nodes
from collec_migrations.locks.modes import Mode
from collec_migrations.locks.walk import Walk
from collec_migrations.locks.world import Relation

SERIAL = frozenset({"serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"})
UNLIMITED = frozenset({"text", "varchar"})
SPELLINGS = {"character varying": "varchar", "character": "bpchar"}
FAST_DEFAULTS = 110000
"""From PostgreSQL 11 on a constant default of a new column is not written into each row."""


def add(walk: Walk, relation: Relation, column: Any) -> None:
    """Note what a new column costs: rewriting for values that differ from row to row."""
    constraints = {item.contype.name: item for item in column.constraints or ()}
    default = constraints.get("CONSTR_DEFAULT")
    walk.lock(
        relation,
        Mode.ACCESS_EXCLUSIVE,
        rewrites=_fills(walk, column, constraints),
        scans=_checks(column, constraints),
    )
    if _may_be_checked(column.typeName):
        with walk.doubtful():
            walk.lock(relation, Mode.ACCESS_EXCLUSIVE, rewrites=True)
    foreign = constraints.get("CONSTR_FOREIGN")
    if foreign is not None:
        # Without a default every value is null, and the server does not check the rows.
        walk.lock(relation, Mode.ACCESS_EXCLUSIVE, scans=default is not None)
        keys.add(walk, relation, foreign, (column.colname,))
    if walk.certain:
        relation.columns[column.colname] = type_of(column.typeName)


def _fills(walk: Walk, column: Any, constraints: dict[str, Any]) -> bool:
    """Return whether the server writes a value of the new column into each row."""
    if _is_serial(column) or "CONSTR_IDENTITY" in constraints:
        return True
    if "CONSTR_GENERATED" in constraints:
        return bool(constraints["CONSTR_GENERATED"].generated_kind != "v")
    default = constraints.get("CONSTR_DEFAULT")
    if default is None or _is_null(default.raw_expr):
        return False
    return walk.world.version < FAST_DEFAULTS or _varies(walk, default.raw_expr)


def _checks(column: Any, constraints: dict[str, Any]) -> bool:
    """Return whether the server reads all rows to check the new column."""
    if constraints.keys() & {"CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_CHECK"}:
        return True
    filled = constraints.keys() & {"CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"}
    return "CONSTR_NOTNULL" in constraints and not filled and not _is_serial(column)


def _is_serial(column: Any) -> bool:
    return column.typeName is not None and column.typeName.names[-1].sval in SERIAL


def _may_be_checked(type_name: Any) -> bool:
    """Return whether a type may be a domain with a check, for which each row is written."""
    names = [name.sval for name in type_name.names] if type_name else []
    return len(names) > 1 and names[0] != "pg_catalog"


def _is_null(value: Any) -> bool:
    while nodes.is_a(value, ast.TypeCast):
        value = value.arg
    return nodes.is_a(value, ast.A_Const) and bool(value.isnull)


def _varies(walk: Walk, value: Any) -> bool:
    return any(
        nodes.is_a(node, ast.FuncCall) and node.funcname[-1].sval in walk.world.volatile
        for node in nodes.below(value)
    )


def drop(walk: Walk, relation: Relation, name: str, *, cascade: bool) -> None:
    """Note a column that goes: with it foreign keys of both sides and its own sequence."""
    if relation.columns and name not in relation.columns:
        return
    found = [
        key
        for key in walk.world.keys_of(relation)
        if (key.table is relation and name in key.columns)
        or (key.referenced is relation and name in key.referenced_columns)
    ]
    keys.drop(walk, found, gone=relation)
    for sequence in walk.world.sequences_of(relation, (name,)):
        walk.lock(sequence, Mode.ACCESS_EXCLUSIVE)
    with walk.doubtful():
        for view in walk.world.views_on(relation) if cascade else ():
            walk.lock(view, Mode.ACCESS_EXCLUSIVE)
    walk.remove(relation, name)
    if walk.certain:
        relation.columns.pop(name, None)
        relation.counters.pop(name, None)


def retype(walk: Walk, relation: Relation, name: str, column: Any) -> None:
    """Note a new type: the table is rewritten unless the stored bytes stay as they are."""
    old, new = relation.columns.get(name, ""), type_of(column.typeName)
    if not _stays(old, new) or not _same_value(column.raw_default, name):
        walk.lock(relation, Mode.ACCESS_EXCLUSIVE, rewrites=True)
    for key in walk.world.keys_of(relation):
        other = key.referenced if key.table is relation else key.table
        if name in (key.columns if key.table is relation else key.referenced_columns):
            walk.lock(other, Mode.ACCESS_EXCLUSIVE)
    for sequence in walk.world.sequences_of(relation, (name,)):
        walk.lock(sequence, Mode.ACCESS_EXCLUSIVE)
    if walk.certain:
        relation.columns[name] = new


def _stays(old: str, new: str) -> bool:
    """Return whether values of type `old` are stored as those of type `new`."""
    if not old or not new:
        return False
    old_name, old_size = _sized(old)
    new_name, new_size = _sized(new)
    if old_name in UNLIMITED and new_name in UNLIMITED:
        return not new_size or (bool(old_size) and new_size[0] >= old_size[0])
    if old_name != new_name:
        return (old_name, new_name) == ("cidr", "inet")
    if old_size == new_size or not new_size:
        return old_name != "bpchar" or old_size == new_size
    if old_name == "numeric" and old_size:
        return new_size[1:] == old_size[1:] and new_size[0] >= old_size[0]
    widened = ("varbit", "timestamp", "timestamptz", "time", "timetz", "interval")
    return old_name in widened and bool(old_size) and new_size[0] >= old_size[0]


def _same_value(expression: Any, name: str) -> bool:
    """Return whether USING gives the column's own value."""
    while nodes.is_a(expression, ast.TypeCast):
        expression = expression.arg
    if expression is None:
        return True
    return nodes.is_a(expression, ast.ColumnRef) and expression.fields[-1].sval == name


def _sized(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, sizes = text.partition("(")
    numbers = tuple(int(part) for part in sizes.rstrip(")").split(",") if part.strip().isdigit())
    return SPELLINGS.get(name.strip(), name.strip()), numbers


def type_of(node: Any) -> str:
    """Return a type as `name` or `name(size)`, by PostgreSQL's internal names."""
    if node is None:
        return ""
    sizes = [item.val.ival for item in node.typmods or () if hasattr(item.val, "ival")]
    size = f"({','.join(map(str, sizes))})" if sizes else ""
    return f"{node.names[-1].sval}{size}{'[]' * len(node.arrayBounds or ())}"


def follow_default(walk: Walk, relation: Relation, name: str, value: Any) -> None:
    """Remember the sequence that gives a column its value from now on."""
    if not walk.certain:
        return
    relation.counters.pop(name, None)
    for node in nodes.below(value):
        if nodes.is_a(node, ast.FuncCall) and node.funcname[-1].sval == "nextval" and node.args:
            named = nodes.name_in(nodes.text_of(node.args[0]) or "")
            sequence = walk.world.find(*named) if named else None
            if sequence:
                relation.counters[name] = sequence
