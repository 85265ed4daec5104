"""The chain: each known version, and what the step to it changed. Pure, from the catalogs."""

from collections.abc import Sequence
from dataclasses import dataclass

from collec_migrations import versions
from collec_migrations.catalog import Catalog

_COUNTED = ("table", "column")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A version on the way."""

    version: str
    in_chain: bool
    """Alembic has a revision for it; else the application's own script can be wrapped."""
    tables: int
    changes: tuple[str, ...]
    """What the step to it makes and drops (a renaming is both): `+3 −4 tables`."""


def stops(in_chain: Sequence[str]) -> tuple[Stop, ...]:
    """Return all known versions in order; `in_chain` has those that Alembic knows."""
    found = []
    before = versions.upgraded(versions.VERSIONS[0])
    for version in versions.VERSIONS:
        now = versions.upgraded(version)
        found.append(
            Stop(
                version=version,
                in_chain=version in in_chain,
                tables=len(_names(now, "table")),
                changes=_changes(before, now),
            )
        )
        before = now
    return tuple(found)


def _changes(before: Catalog, now: Catalog) -> tuple[str, ...]:
    found = []
    for kind in _COUNTED:
        old, new = _names(before, kind), _names(now, kind)
        signs = (("+", new - old), ("\N{MINUS SIGN}", old - new))
        numbers = [f"{sign}{len(names)}" for sign, names in signs if names]
        if numbers:
            found.append(f"{' '.join(numbers)} {kind if numbers == ['+1'] else f'{kind}s'}")
    return tuple(found)


def _names(catalog: Catalog, kind: str) -> frozenset[tuple[str, str]]:
    tables = {(fact.role, fact.name) for fact in catalog.facts if fact.kind == "table"}
    return frozenset(
        (fact.role, fact.name)
        for fact in catalog.facts
        if fact.kind == kind and (fact.role, fact.name.partition(".")[0]) in tables
    )
