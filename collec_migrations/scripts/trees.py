"""Syntax trees: where each string stands in one, and whether two mean the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pglast import ast, parse_sql

Tree = Any
"""What pglast returns: nodes, tuples of them, strings, numbers."""


@dataclass(frozen=True, slots=True)
class Step:
    """A node on the way to a string, and the way on from there."""

    node: Tree
    attr: str
    index: int
    """In the innermost list that `attr` leads to; 0 when it is no list."""
    size: int
    """Of that list; 0 when there is none."""
    up: "Step | None"

    @property
    def kind(self) -> str:
        """Name of the node's class."""
        return type(self.node).__name__

    @property
    def slot(self) -> tuple[str, str]:
        """The node's class and the attribute."""
        return self.kind, self.attr


NOWHERE = Step(None, "", 0, 0, None)


@dataclass(frozen=True, slots=True)
class Place:
    """A string in a tree."""

    text: str
    owner: Tree
    """The node that holds the string itself, and by which attribute."""
    attr: str
    at: Step
    """The node that gives the string its meaning: never a `String` or an `A_Const`."""
    constant: bool
    """Whether it stands in an `A_Const`."""

    def write(self, text: str) -> None:
        """Put another string in this place of the tree."""
        setattr(self.owner, self.attr, text)


def parse(sql: str) -> Tree:
    """Return the tree of a text; raise pglast's `ParseError`."""
    return parse_sql(sql)


@cache
def _attributes(kind: type) -> tuple[str, ...]:
    """Return the attributes of a class of nodes that carry meaning."""
    return tuple(
        name
        for name, slot in kind.__slots__.items()  # type: ignore[attr-defined] # pglast: a dict
        if slot.c_type != "ParseLoc" and not name.startswith("stmt_l")
    )


def places(tree: Tree, wanted: Callable[[str], bool]) -> Iterator[Place]:
    """Yield the strings of a tree that are wanted."""
    for node in tree:
        yield from _inside(node, None, wanted)


def _inside(node: Tree, up: Step | None, wanted: Callable[[str], bool]) -> Iterator[Place]:
    for attr in _attributes(type(node)):
        value = getattr(node, attr)
        if isinstance(value, ast.Node | tuple):
            yield from _below(value, Step(node, attr, 0, 0, up), wanted)
        elif isinstance(value, str) and wanted(value):
            yield _place(value, node, Step(node, attr, 0, 0, up))


def _below(value: Tree, step: Step, wanted: Callable[[str], bool]) -> Iterator[Place]:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            if isinstance(item, ast.Node | tuple):
                below = Step(step.node, step.attr, index, len(value), step.up)
                yield from _below(item, below, wanted)
    else:
        yield from _inside(value, step, wanted)


def _place(text: str, owner: Tree, step: Step) -> Place:
    attr = step.attr
    if step.kind != "String":
        return Place(text, owner, attr, step, constant=False)
    holder = step.up or NOWHERE
    if holder.kind == "A_Const":
        return Place(text, owner, attr, holder.up or NOWHERE, constant=True)
    return Place(text, owner, attr, holder, constant=False)


def same(one: Tree, other: Tree) -> bool:
    """Whether two trees mean the same, wherever their tokens stand."""
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, ast.Node):
        names = _attributes(type(one))
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    return bool(one == other)
