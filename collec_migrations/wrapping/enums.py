"""Values added to an enum and used before they are committed, which PostgreSQL refuses. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from collec_migrations.scripts import trees
from collec_migrations.wrapping.script import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """A value that is used in the transaction that adds it (error 55P04)."""

    value: str
    type: str
    added: str
    """File and line."""
    used: str
    certain: bool
    """False: the constant may be meant for something else than this type."""


@dataclass(slots=True)
class Watch:
    """The values that one transaction adds.

    From 17 on PostgreSQL takes a new value of a type that the same transaction made, but not
    inside a savepoint, which a script is sent in.
    """

    _added: dict[str, tuple[str, str]] = field(default_factory=dict)

    def early(self, items: Iterable[Item]) -> Iterator[Early]:
        """Yield what statements use too early, each value at its first use."""
        for item in items:
            yield from self._used(item)
            self._note(item)

    def _note(self, item: Item) -> None:
        tree = item.tree
        kind = type(tree).__name__
        if kind == "AlterEnumStmt" and tree.newVal and not tree.oldVal:
            self._added[tree.newVal] = (tree.typeName[-1].sval, item.place)

    def _used(self, item: Item) -> Iterator[Early]:
        found: dict[str, bool] = {}
        for place in trees.places((item.tree,), lambda text: text in self._added):
            if place.constant:
                certain = _is_of(place.at, self._added[place.text][0])
                found[place.text] = found.get(place.text, False) or certain
        for value, certain in found.items():
            name, added = self._added.pop(value)
            yield Early(value=value, type=name, added=added, used=item.place, certain=certain)


def _is_of(at: Any, name: str) -> bool:
    """Say whether a constant is cast to a type, or is the default of a column of it."""
    step = at
    while step is not None:
        node = step.node
        type_name = getattr(node, "typeName", None)
        if type(node).__name__ in ("TypeCast", "ColumnDef") and type_name is not None:
            return bool(type_name.names[-1].sval == name)
        step = step.up
    return False
