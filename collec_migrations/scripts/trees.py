"""Syntax trees: where each string stands in one, and whether two mean the same."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import parse_sql_json

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
    """The node that holds the string."""
    at: Step
    """The node that gives the string its meaning: never a `String` or an `A_Const`."""
    constant: bool
    """Whether it stands in an `A_Const`."""

    def write(self, text: str) -> None:
        """Put another string into this place of the tree."""
        setattr(self.owner, "sval" if type(self.owner).__name__ == "String" else self.at.attr, text)


def parse(sql: str) -> Tree:
    """Return the tree of a text; raise pglast's `ParseError`."""
    return parse_sql(sql)


def _attributes() -> Iterator[tuple[str, str, str]]:
    """Yield each class of nodes, each of its attributes, and the type of that in PostgreSQL."""
    for kind, found in vars(ast).items():
        slots = getattr(found, "__slots__", ())
        if isinstance(slots, dict):
            yield from ((kind, name, slot.c_type) for name, slot in slots.items())


_LOCATIONS = {name for _, name, c_type in _attributes() if c_type == "ParseLoc"} | {"stmt_len"}
# What stands in a string cannot look like a place: its quotes are escaped.
_PLACE = re.compile(
    ',{0}|{0},?'.format(rf'"(?:{"|".join(sorted(_LOCATIONS))})":-?\d+(?=[,}}])')
)  # fmt: skip
_ATTRIBUTES: dict[str, list[str]] = {}
for _kind, _name, _ in _attributes():
    _ATTRIBUTES.setdefault(_kind, []).append(_name)


def places(tree: Tree, wanted: Callable[[str], bool]) -> Iterator[Place]:
    """Yield the strings of a tree that are wanted."""
    for node in tree:
        yield from _inside(node, None, wanted)


def _inside(node: Tree, up: Step | None, wanted: Callable[[str], bool]) -> Iterator[Place]:
    for attr in _ATTRIBUTES.get(type(node).__name__, ()):
        value = getattr(node, attr)
        if isinstance(value, ast.Node | tuple):
            yield from _below(value, Step(node, attr, 0, 0, up), wanted)
        elif isinstance(value, str) and wanted(value):
            yield _place(value, Step(node, attr, 0, 0, up))


def _below(value: Tree, step: Step, wanted: Callable[[str], bool]) -> Iterator[Place]:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            if isinstance(item, ast.Node | tuple):
                below = Step(step.node, step.attr, index, len(value), step.up)
                yield from _below(item, below, wanted)
    else:
        yield from _inside(value, step, wanted)


def _place(text: str, step: Step) -> Place:
    if step.kind != "String":
        return Place(text, step.node, step, constant=False)
    holder = step.up or NOWHERE
    if holder.kind == "A_Const":
        return Place(text, step.node, holder.up or NOWHERE, constant=True)
    return Place(text, step.node, holder, constant=False)


def same(one: str, other: str, words: Mapping[str, str]) -> bool:
    """Whether one text means the same as another in which each of the words stands for a value.

    The trees are compared as JSON, in which a word is a whole string or the comparison fails.
    """
    told = parse_sql_json(other)
    for word, value in words.items():
        told = told.replace(f'"{word}"', json.dumps(value, ensure_ascii=False))
    left = parse_sql_json(one)
    # Nearly always the same text, which is told sooner; a string may be escaped otherwise.
    return _PLACE.sub("", left) == _PLACE.sub("", told) or _meaning(left) == _meaning(told)


def _meaning(tree: str) -> object:
    """Return a tree without the places of its tokens."""
    return json.loads(tree, object_hook=_without_locations)


def _without_locations(node: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in node.items() if name not in _LOCATIONS}
