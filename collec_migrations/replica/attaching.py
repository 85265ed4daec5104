"""How can a stopped data folder follow a primary: as it is, by a rewind, or only anew? Pure.

The rule is that of repmgr (facts 4.4): the folder must hold nothing that its primary's history
does not have.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from collec_migrations.errors import ReplicationRefused
from collec_migrations.postgres import pg_versions
from collec_migrations.replica import lsn
from collec_migrations.replica.protocol import Identity
from collec_migrations.replica.states import Slot, Up


class Way(Enum):
    """How a folder comes to follow a primary."""

    ATTACH = "attach it as it is"
    REWIND = "rewind it (pg_rewind)"
    CLONE = "clone it anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What pg_controldata tells of a stopped data folder."""

    system: str
    state: str
    timeline: int
    position: int
    """A primary's last checkpoint; a standby's last known position."""

    @property
    def was_standby(self) -> bool:
        """Tell whether it was a standby when it stopped or was killed."""
        return self.state in ("shut down in recovery", "in archive recovery")

    @property
    def was_killed(self) -> bool:
        """Tell whether it was a primary that did not shut down."""
        return self.state != "shut down" and not self.was_standby


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A way, and why it is this one."""

    way: Way
    why: str


def folder(control: Mapping[str, str]) -> Folder:
    """Return the facts of pg_controldata, given by their English names."""
    least = control.get("Minimum recovery ending location", "0/0")
    timelines = ("Latest checkpoint's TimeLineID", "Min recovery ending loc's timeline")
    return Folder(
        system=control["Database system identifier"],
        state=control["Database cluster state"],
        timeline=max(int(control.get(name, "0")) for name in timelines),
        position=max(lsn.parse(control["Latest checkpoint location"]), lsn.parse(least)),
    )


def choose(its: Folder, primary: Identity) -> Choice:
    """Return how a folder may follow a primary.

    Raises ReplicationRefused when it is of another system, or on a newer timeline: then it may be
    the true primary.
    """
    if its.system != primary.system:
        raise ReplicationRefused(
            f"the folder is of another system ({its.system}, the primary is {primary.system})",
            hint="Give the right folder; to replace this one: `replica clone --replace`.",
        )
    if its.timeline > primary.timeline:
        raise ReplicationRefused(
            f"the folder is on timeline {its.timeline}, newer than the primary's, "
            f"{primary.timeline}",
            hint="It was promoted after that primary: find out which of them has the data.",
        )
    if its.was_killed:
        return Choice(way=Way.REWIND, why="it was killed: what it wrote last may be its alone")
    if its.timeline == primary.timeline:
        if its.position <= primary.position:
            return Choice(way=Way.ATTACH, why="it is on the primary's timeline, and not ahead")
        return Choice(way=Way.CLONE, why="it is ahead of the primary on the same timeline")
    return _older(its, primary)


def feasible(choice: Choice, slot: Slot | None, major: str) -> Choice:
    """Return a choice, or a clone where WAL is gone, or where there is no pg_rewind (9.4)."""
    if choice.way is Way.ATTACH and slot and (slot.wal_status == "lost" or slot.invalidation):
        why = f"its slot {slot.name!r} is lost: WAL that it needs is gone"
        return Choice(way=Way.CLONE, why=why)
    if choice.way is Way.REWIND and pg_versions.text("pg_rewind", major) is None:
        return Choice(way=Way.CLONE, why=f"{choice.why}; PostgreSQL {major} has no pg_rewind")
    return choice


def _older(its: Folder, primary: Identity) -> Choice:
    fork = dict(primary.history).get(its.timeline)
    if fork is None:
        return Choice(
            way=Way.REWIND, why=f"the primary's history does not know timeline {its.timeline}"
        )
    # A primary's position is where its last record begins, a standby's where it ends.
    if its.position < fork or (its.was_standby and its.position == fork):
        return Choice(
            way=Way.ATTACH,
            why=f"it stopped at {lsn.shown(its.position)}, before timeline {its.timeline} was "
            f"left at {lsn.shown(fork)}",
        )
    return Choice(
        way=Way.REWIND,
        why=f"it wrote up to {lsn.shown(its.position)}, and the primary left timeline "
        f"{its.timeline} at {lsn.shown(fork)}",
    )


def stopped(its: Folder, running: Up | None) -> Folder:
    """Return what a folder will be once its server, which runs, has stopped."""
    if running is None:
        return its
    state = "shut down in recovery" if running.in_recovery else "shut down"
    return replace(
        its,
        state=state,
        timeline=max(its.timeline, running.timeline or 0),
        position=max(its.position, running.end or 0),
    )
