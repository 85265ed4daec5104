"""Which tables statements may write, as far as their trees tell. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pglast import parse_sql
from pglast.parser import ParseError

from collec_migrations.scripts import trees

_WRITERS = frozenset({
    ("InsertStmt", "relation"), ("UpdateStmt", "relation"), ("DeleteStmt", "relation"),
    ("MergeStmt", "relation"), ("TruncateStmt", "relations"), ("CopyStmt", "relation"),
    ("RenameStmt", "relation"), ("CreateStmt", "relation"), ("IntoClause", "rel"),
})  # fmt: skip
_CODE = ("DoStmt", "CallStmt")
_RUNNING = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CreateTableAsStmt")
HARMLESS = frozenset({"setval", "nextval", "currval", "set_config", "current_setting", "now", "max",
                      "min", "count", "coalesce", "greatest", "to_regclass"})  # fmt: skip


@dataclass(slots=True)
class Writes:
    """The tables that statements so far may have written."""

    tables: set[str] = field(default_factory=set)
    anything: bool = False
    """Whether code was run whose effects a tree does not tell."""

    def add(self, tree: Any) -> None:
        """Note what a statement may write."""
        self.anything |= runs_code(tree)
        self.tables.update(_written(tree))

    def add_sql(self, sql: str) -> None:
        """Note what SQL of an erratum may write."""
        try:
            for raw in parse_sql(sql):
                self.add(raw.stmt)
        except ParseError:
            self.anything = True

    def may_hold_others(self, table: str) -> bool:
        """Say whether a table may hold other rows by now."""
        return self.anything or table in self.tables


def runs_code(tree: Any) -> bool:
    """Say whether a statement runs a block, a procedure or a function that may write."""
    kind = type(tree).__name__
    if kind in _CODE:
        return True
    if kind == "SelectStmt":
        return any(name[-1] not in HARMLESS for name in _functions(tree))
    of_site = (name for name in _functions(tree) if len(name) > 1 and name[0] != "pg_catalog")
    return kind in _RUNNING and any(of_site)


def hides_writes(tree: Any) -> bool:
    """Say whether a statement changes rows that cannot be cut from its text: by code, by MERGE,
    by ON CONFLICT or in a WITH."""
    if runs_code(tree) or type(tree).__name__ == "MergeStmt":
        return True
    conflict = getattr(tree, "onConflictClause", None)
    if conflict is not None and conflict.action.name == "ONCONFLICT_UPDATE":
        return True
    return any(
        step.kind in ("UpdateStmt", "DeleteStmt", "MergeStmt") and step.node is not tree
        for step in _writers(tree)
    )


def follows_keys(tree: Any) -> bool:
    """Say whether a statement may change rows of other tables: by foreign keys or triggers."""
    return type(tree).__name__ in ("DeleteStmt", "UpdateStmt")


def _functions(tree: Any) -> Iterator[tuple[str, ...]]:
    for place in trees.places((tree,), bool):
        at = place.at
        if not place.constant and at.slot == ("FuncCall", "funcname") and at.index == at.size - 1:
            yield tuple(name.sval for name in at.node.funcname)


def _written(tree: Any) -> Iterator[str]:
    kind = type(tree).__name__
    if kind == "AlterTableStmt":
        changing = ("AT_DropColumn", "AT_AlterColumnType")
        if any(command.subtype.name in changing for command in tree.cmds):
            yield tree.relation.relname
    elif kind == "DropStmt":
        yield from (names[-1].sval for names in tree.objects if isinstance(names, tuple))
    yield from (step.name for step in _writers(tree))


@dataclass(frozen=True, slots=True)
class _Writer:
    """A part of a statement that writes a table."""

    kind: str
    node: Any
    name: str


def _writers(tree: Any) -> Iterator[_Writer]:
    for place in trees.places((tree,), bool):
        up = place.at.up
        if place.at.slot == ("RangeVar", "relname") and up is not None and up.slot in _WRITERS:
            yield _Writer(up.kind, up.node, place.text)
