"""Queries for the rows that a new unique index or key would refuse. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pglast.stream import RawStream

from collec_migrations.postgres import quoting
from collec_migrations.wrapping.script import Item
from collec_migrations.wrapping.writing import Writes

SHOWN = 10
_UNIQUE = ("CONSTR_UNIQUE", "CONSTR_PRIMARY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for before a step, with the default names."""

    id: str
    """An erratum's, or file and line of the statement that would fail."""
    message: str
    query: str
    """One column of text; each row is a finding."""
    certain: bool
    """Whether a finding stops the step; else the script itself may cure it before."""

    def bound(self, bind: Callable[[str], str]) -> "Question":
        """Return the question about schemas of other names."""
        return replace(self, query=bind(self.query))


def questions(
    items: Iterable[Item], writes: Writes, corrected: Callable[[Item], Iterable[str] | None]
) -> Iterator[Question]:
    """Yield what to ask about each unique index and key that a script makes.

    A finding is certain where nothing before, neither the script nor a correction of a
    statement, may change the rows; `writes` learns what the script may change. `corrected` gives
    the SQL of a statement's corrections; None: the statement may be left out.
    """
    for item in items:
        corrections = corrected(item)
        for table, question in _of(item) if corrections is not None else ():
            sure = not writes.may_hold_others(table)
            yield replace(question, certain=sure and not _may_be_there(item))
        writes.add(item.tree)
        for sql in corrections or ():
            writes.add_sql(sql)


def _may_be_there(item: Item) -> bool:
    return bool(getattr(item.tree, "if_not_exists", False))


def _of(item: Item) -> Iterator[tuple[str, Question]]:
    """Yield the table and the question of each."""
    tree = item.tree
    kind = type(tree).__name__
    if kind == "IndexStmt" and tree.unique:
        where = RawStream()(tree.whereClause) if tree.whereClause else ""
        parts = [_expression(one) for one in tree.indexParams]
        yield from _question(item, tree.relation, parts, where)
    elif kind == "AlterTableStmt":
        for command in tree.cmds:
            made = command.def_ if command.subtype.name == "AT_AddConstraint" else None
            if made is not None and made.contype.name in _UNIQUE and made.keys:
                parts = [quoting.identifier(key.sval) for key in made.keys]
                yield from _question(item, tree.relation, parts, "")


def _expression(element: Any) -> str:
    if element.name:
        return quoting.identifier(element.name)
    return f"({RawStream()(element.expr)})"


def _question(
    item: Item, relation: Any, parts: Sequence[str], where: str
) -> Iterator[tuple[str, Question]]:
    schema = relation.schemaname or _first(item.search_path)
    if not schema:
        return
    table = f"{quoting.identifier(schema)}.{quoting.identifier(relation.relname)}"
    filled = [f"{part} is not null" for part in parts] + ([f"({where})"] if where else [])
    shown = " || ', ' || ".join(f"({part})::text" for part in parts)
    question = Question(
        id=item.place,
        message=f"{relation.relname} has rows that a unique index of this step refuses",
        query=f"select {shown} || ' (' || count(*) || ' times)' from {table}"
        f" where {' and '.join(filled)} group by {', '.join(parts)}"
        f" having count(*) > 1 limit {SHOWN}",
        certain=False,
    )
    yield relation.relname, question


def _first(search_path: Sequence[str]) -> str:
    """Return the only schema of ours in a path; empty when there are both or none."""
    ours = [name for name in search_path if name in ("gacl", "col")]
    return ours[0] if len(ours) == 1 else ""
