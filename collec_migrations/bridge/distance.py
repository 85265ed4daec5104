"""How well the catalog of each version fits what a database holds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from collec_migrations import catalog as normal
from collec_migrations import versions
from collec_migrations.catalog import Catalog, Fact
from collec_migrations.versions import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One version against what was observed."""

    version: str
    distance: int
    """Facts that are missing or too many, without what is cosmetic."""


def rank(observed: frozenset[Fact]) -> tuple[Fit, ...]:
    """Return how well each version fits the essence of a database, the best first."""
    fits = [Fit(version=version, distance=distance(version, observed))
            for version in versions.VERSIONS]  # fmt: skip
    return tuple(sorted(fits, key=lambda fit: fit.distance))


def distance(version: str, observed: frozenset[Fact]) -> int:
    """Return how far a database is from the nearer shape of a version.

    What the one shape has and the other has not does not count, so a database that was installed
    as one version and upgraded to another is near both.
    """
    known = [_essence(version, shape) for shape, _ in versions.shapes(version)]
    if len(known) == 1:
        return len(known[0] ^ observed)
    return min(
        _apart(one, frozenset().union(*(other for other in known if other is not one)), observed)
        for one in known
    )


def body_distance(version: str, observed: frozenset[Fact]) -> int:
    """Return how far tables and columns, which hold the data, are from the nearer shape."""
    known = [_body(version, shape) for shape, _ in versions.shapes(version)]
    return min(
        _apart(one, frozenset().union(*(other for other in known if other is not one)), observed)
        for one in known
    )


def body_of(essence: frozenset[Fact]) -> frozenset[Fact]:
    """Return the tables and columns of an essence."""
    return frozenset(fact for fact in essence if fact.kind in ("table", "column"))


def nearest_shape(version: str, observed: Catalog) -> Shape:
    """Return the shape of a version that a database has, to the last detail."""
    facts = normal.normalised(observed).facts
    return min(
        versions.shapes(version),
        key=lambda known: len(normal.normalised(known[1]).facts ^ facts),
    )[0]


def essence_of(catalog: Catalog) -> frozenset[Fact]:
    """Return the facts without what is cosmetic."""
    return frozenset(map(normal.essence, catalog.facts))


@cache
def step(older: str, newer: str) -> tuple[frozenset[Fact], frozenset[Fact]]:
    """Return what an upgrade adds to every shape of a version, and what it removes of it."""
    before, after = (_essence(version, Shape.UPGRADED) for version in (older, newer))
    fresh = _essence(older, Shape.FRESH) or _essence(older, Shape.INSTALLER) or before
    return after - before - fresh, (before - after) & fresh


@cache
def _essence(version: str, shape: Shape) -> frozenset[Fact]:
    catalog = versions.catalog(version, shape)
    return essence_of(catalog) if catalog else frozenset()


@cache
def _body(version: str, shape: Shape) -> frozenset[Fact]:
    return body_of(_essence(version, shape))


def _apart(shape: frozenset[Fact], other: frozenset[Fact], observed: frozenset[Fact]) -> int:
    """Return how many facts differ from `shape` that `other` does not explain."""
    alternatives = _by_key(other)

    def counts(fact: Fact) -> bool:
        alternative = alternatives.get(fact[:3])
        return fact in other or (alternative is not None and alternative not in observed)

    missing = sum(map(counts, shape - observed))
    return missing + len(observed - shape - other)


@lru_cache(maxsize=64)
def _by_key(facts: frozenset[Fact]) -> Mapping[tuple[str, ...], Fact]:
    """Return the facts that have a name of their own, by it."""
    return {fact[:3]: fact for fact in facts if fact.kind != "constraint"}
