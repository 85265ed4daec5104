"""Lock modes on tables, weakest first (PostgreSQL manual, 13.3.1), and one lock."""

from dataclasses import dataclass
from enum import IntEnum

from collec_migrations.locks.world import Relation


class Mode(IntEnum):
    """A mode of locking a table; a greater one conflicts with at least as many others."""

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    @property
    def text(self) -> str:
        """The mode as the manual writes it, in lower case."""
        return self.name.lower().replace("_", " ")

    @property
    def blocks(self) -> str:
        """What other sessions cannot do meanwhile; empty when they can read and write."""
        if self is Mode.ACCESS_EXCLUSIVE:
            return "reading and writing"
        return "writing" if self >= Mode.SHARE else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock that a statement takes on a relation that was there before the run."""

    relation: Relation
    mode: Mode
    rewrites: bool = False
    """The whole table is written anew while the lock is held."""
    scans: bool = False
    """The whole table is read while the lock is held."""
    certain: bool = True
    """False: the lock is taken only if a condition holds that the server decides."""
