"""Whether a database stands between two versions: an upgrade that stopped or failed. Pure."""

from dataclasses import dataclass

from collec_migrations import versions
from collec_migrations.bridge import distance
from collec_migrations.catalog import Fact


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


def steps(observed: frozenset[Fact]) -> tuple[Halfway, ...]:
    """Return the steps that a database may stand in, the likeliest first."""
    found = (measure(older, newer, observed) for older, newer in versions.steps())
    return tuple(
        sorted(
            (one for one in found if one.is_under_way),
            key=lambda one: (one.foreign, one.undone),
        )
    )


def measure(older: str, newer: str, observed: frozenset[Fact]) -> Halfway:
    """Return how far one step is gone, and how much belongs to neither of its versions."""
    added, removed = distance.step(older, newer)
    before = (observed - added) | removed
    return Halfway(
        older=older,
        newer=newer,
        added=len(added & observed),
        removed=len(removed - observed),
        undone=len(added - observed) + len(removed & observed),
        foreign=distance.distance(older, before),
    )
