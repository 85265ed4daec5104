"""How well the catalog of each version fits what a database holds. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

from collec_migrations import catalog as normal
from collec_migrations import versions
from collec_migrations.catalog import Catalog, Fact
from collec_migrations.versions import Shape

INDEX = Path(__file__).parent.parent / "data" / "shapes.json"
BODY = ("table", "column")
"""The kinds of facts that hold the data."""


@lru_cache(maxsize=2)
def exact(observed: Catalog) -> tuple[str, ...]:
    """Return the versions of which the facts are exactly a known shape; loads no catalog."""
    return tuple(_index().get(digest(observed), ()))


@cache
def _index() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(INDEX.read_text("utf-8"))
    return found


def digest(observed: Catalog) -> str:
    """Return the hash of the facts that are the same on every server."""
    facts = sorted(normal.portable(observed).facts)
    return sha256("\0".join("\1".join(fact) for fact in facts).encode()).hexdigest()[:32]


def known_digests() -> dict[str, list[str]]:
    """Return the versions by the hash of each of their shapes, as `data/shapes.json` holds it."""
    found: dict[str, list[str]] = {}
    for version in versions.BUILT_IN:
        for _, shape in versions.shapes(version):
            known = found.setdefault(digest(shape), [])
            if version not in known:
                known.append(version)
    return found


def rank(observed: frozenset[Fact]) -> tuple[tuple[int, str], ...]:
    """Return the distance of each version to the essence of a database, the nearest first."""
    found = [(distance(version, observed), version) for version in versions.VERSIONS]
    return tuple(sorted(found, key=lambda one: one[0]))


def distance(version: str, observed: frozenset[Fact], *kinds: str) -> int:
    """Return how many facts (of some kinds) lie between a database and a version's nearer shape.

    What the one shape has and the other has not does not count, so a database that was installed
    as one version and upgraded to another is near both.
    """
    known = [_essence(version, shape, *kinds) for shape, _ in versions.shapes(version)]
    if len(known) == 1:
        return len(known[0] ^ observed)
    return min(
        _apart(one, frozenset().union(*(other for other in known if other is not one)), observed)
        for one in known
    )


def _apart(shape: frozenset[Fact], other: frozenset[Fact], observed: frozenset[Fact]) -> int:
    """Return how many facts differ from `shape` that `other` does not explain."""
    alternatives = _by_name(other)

    def counts(fact: Fact) -> bool:
        alternative = alternatives.get(fact[:3])
        return fact in other or (alternative is not None and alternative not in observed)

    return sum(map(counts, shape - observed)) + len(observed - shape - other)


@lru_cache(maxsize=64)
def _by_name(facts: frozenset[Fact]) -> Mapping[tuple[str, ...], Fact]:
    """Return the facts that have a name of their own, by it."""
    return {fact[:3]: fact for fact in facts if fact.kind != "constraint"}


def body_of(essence: frozenset[Fact]) -> frozenset[Fact]:
    """Return the tables and columns of an essence."""
    return frozenset(fact for fact in essence if fact.kind in BODY)


def essence_of(catalog: Catalog) -> frozenset[Fact]:
    """Return the facts without what is cosmetic."""
    return frozenset(map(normal.essence, catalog.facts))


@cache
def _essence(version: str, shape: Shape, *kinds: str) -> frozenset[Fact]:
    catalog = versions.catalog(version, shape)
    facts = essence_of(catalog) if catalog else frozenset()
    return frozenset(fact for fact in facts if fact.kind in kinds) if kinds else facts


def nearest_shape(version: str, observed: Catalog) -> Shape:
    """Return the shape of a version that a database has, to the last detail."""
    facts = normal.normalised(observed).facts
    return min(
        versions.shapes(version),
        key=lambda known: len(normal.normalised(known[1]).facts ^ facts),
    )[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Halfway:
    """How far the step from one version to the next was gone."""

    older: str
    newer: str
    added: int
    """Facts of the newer version that are there."""
    removed: int
    """Facts of the older version that are gone."""
    undone: int
    """Facts that the step would still add or remove."""
    foreign: int
    """Facts that belong to neither version."""

    @property
    def is_under_way(self) -> bool:
        """Say whether something was done and something was not."""
        return bool(self.added or self.removed) and self.undone > 0


def halfway(observed: frozenset[Fact]) -> tuple[Halfway, ...]:
    """Return the steps that a database may stand in, the likeliest first."""
    found = (measure(older, newer, observed) for older, newer in versions.steps())
    under_way = (one for one in found if one.is_under_way)
    return tuple(sorted(under_way, key=lambda one: (one.foreign, one.undone)))


def measure(older: str, newer: str, observed: frozenset[Fact]) -> Halfway:
    """Return how far one step is gone, and how much belongs to neither of its versions."""
    added, removed = step(older, newer)
    return Halfway(
        older=older,
        newer=newer,
        added=len(added & observed),
        removed=len(removed - observed),
        undone=len(added - observed) + len(removed & observed),
        foreign=distance(older, (observed - added) | removed),
    )


@cache
def step(older: str, newer: str) -> tuple[frozenset[Fact], frozenset[Fact]]:
    """Return what an upgrade adds to every shape of a version, and what it removes of it."""
    before, after = (_essence(version, Shape.UPGRADED) for version in (older, newer))
    fresh = _essence(older, Shape.FRESH) or _essence(older, Shape.INSTALLER) or before
    return after - before - fresh, (before - after) & fresh


if __name__ == "__main__":
    INDEX.write_text(json.dumps(known_digests(), indent=1) + "\n", "utf-8")
