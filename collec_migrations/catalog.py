"""A database catalog as a set of facts, free of schema names: build, store, compare."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Fact(NamedTuple):
    """One thing that a schema holds."""

    role: str
    """`gacl` or `col`, whatever the schema is called."""
    kind: str
    """table, column, constraint, index, view, sequence, function, trigger or type."""
    name: str
    """Without schema; `table.column` for what belongs to a table."""
    definition: str


Stored = Mapping[str, Mapping[str, Mapping[str, str]]]
"""The form of a catalog in JSON: role, kind, name, definition."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """All facts of a pair of schemas."""

    facts: frozenset[Fact]

    @classmethod
    def of(cls, facts: Iterable[tuple[str, str, str, str]]) -> "Catalog":
        """Return the catalog of rows (role, kind, name, definition)."""
        return cls(frozenset(Fact(*row) for row in facts))

    @classmethod
    def from_json(cls, text: str) -> "Catalog":
        """Return the catalog that `to_json` wrote."""
        stored: Stored = json.loads(text)
        return cls.of(
            (role, kind, name, definition)
            for role, kinds in stored.items()
            for kind, names in kinds.items()
            for name, definition in names.items()
        )

    def to_json(self) -> str:
        """Return the catalog as indented JSON, sorted, ending with a newline."""
        stored: dict[str, dict[str, dict[str, str]]] = {}
        for role, kind, name, definition in sorted(self.facts):
            stored.setdefault(role, {}).setdefault(kind, {})[name] = definition
        return json.dumps(stored, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Drift:
    """How an observed catalog differs from an expected one."""

    missing: frozenset[Fact]
    """Expected, not observed."""
    extra: frozenset[Fact]
    """Observed, not expected."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra)


def compare(*, expected: Catalog, observed: Catalog) -> Drift:
    """Return the difference between two catalogs; falsy when there is none."""
    return Drift(missing=expected.facts - observed.facts, extra=observed.facts - expected.facts)
