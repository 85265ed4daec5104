"""Which backups to keep: the last days, weeks and months; and where rows fell. Pure."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

YOUNG = timedelta(hours=48)
"""Nothing younger is removed by a rule: who notices an accident needs a day or two."""
NOTABLE = 20
"""Rows of a table from which on a fall by a half is told: smaller tables change by nature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How many days, weeks and months with a backup are kept; at least the newest stays."""

    daily: int = 7
    weekly: int = 5
    monthly: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What retention has to know of one backup."""

    id: str
    database: str
    taken: datetime
    """In the site's own time, since a night belongs to a day."""
    server: str = ""
    """Its system identifier: databases of two servers may have the same name."""
    position: int = 0
    """The server's next transaction, which orders backups whatever the clocks say."""
    verified: bool = False
    nightly: bool = True
    """False: taken before an upgrade, kept until somebody removes it by name."""
    damaged: bool = False
    """A verification found it so."""
    fallen: bool = False
    """Its rows fell, and nobody has looked yet."""


def to_remove(backups: Iterable[Kept], policy: Policy, *, now: datetime) -> tuple[str, ...]:
    """Return the ids of what is no longer needed, oldest first.

    Nothing younger than 48 hours goes, by our clock or by that of the newest backup; a backup
    dated in the future counts as young. The newest backup of a database stays, and so does its
    newest verified one. A damaged one never stands in for a sound one. It stays as long as it would
    if it were sound, since much of it may still be read, and while no newer one is sound.
    """
    found = sorted(backups, key=lambda one: (one.position, one.taken, one.id))
    keep = {one.id for one in found if not one.nightly}
    for origin in {(one.server, one.database) for one in found}:
        its = [one for one in found if (one.server, one.database) == origin]
        young = min(now, its[-1].taken) - YOUNG
        keep |= {one.id for one in its if one.taken > young}
        keep |= _kept_of(its, policy)
    return tuple(one.id for one in found if one.id not in keep)


def settled(backups: Iterable[Kept]) -> list[Kept]:
    """Return those of the databases whose rows did not fall: a run removes none of the others."""
    found = list(backups)
    fallen = {(one.server, one.database) for one in found if one.fallen}
    return [one for one in found if (one.server, one.database) not in fallen]


def falls(
    before: Mapping[str, int], after: Mapping[str, int], *, same_version: bool
) -> Iterator[str]:
    """Yield where rows fell by a half or more: in a table, or in all of them together.

    Single tables are compared within one version alone, since a step may rename or drop some.
    """
    was, are = sum(before.values()), sum(after.values())
    if was >= NOTABLE and are * 2 <= was:
        yield f"all tables: {was:,} rows before, {are:,} now"
    for table in sorted(before) if same_version else ():
        count = after.get(table, 0)
        if before[table] >= NOTABLE and count * 2 <= before[table]:
            yield f"{table}: {before[table]:,} rows before, {count:,} now"


def _kept_of(oldest_first: list[Kept], policy: Policy) -> set[str]:
    """Return what stays of one database."""
    sound = [one for one in oldest_first if not one.damaged]
    if not sound:
        return {one.id for one in oldest_first}
    as_if_sound = _kept(oldest_first, policy)
    return _kept(sound, policy) | {
        one.id
        for one in oldest_first
        if one.damaged and (one.id in as_if_sound or one.taken > sound[-1].taken)
    }


def _kept(oldest_first: list[Kept], policy: Policy) -> set[str]:
    keep = {oldest_first[-1].id}
    verified = [one.id for one in oldest_first if one.verified]
    keep.update(verified[-1:])
    nightly = [one for one in oldest_first if one.nightly]
    keep |= _newest_of_each(nightly, lambda day: day, policy.daily)
    keep |= _newest_of_each(nightly, lambda day: day.isocalendar()[:2], policy.weekly)
    keep |= _newest_of_each(nightly, lambda day: (day.year, day.month), policy.monthly)
    return keep


def _newest_of_each(
    oldest_first: list[Kept], period: Callable[[date], Hashable], count: int
) -> set[str]:
    """Return the newest backup of each of the last `count` periods that have one."""
    newest = {period(one.taken.date()): one.id for one in oldest_first}
    in_order = list(dict.fromkeys(period(one.taken.date()) for one in oldest_first))
    return {newest[one] for one in in_order[-count:]} if count else set()
