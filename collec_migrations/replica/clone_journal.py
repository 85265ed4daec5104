"""What a clone began, on the disk: if we are killed, the next run clears it away.

The file lies beside the data folder and is locked as long as a clone is at work, also by its
pg_basebackup, which may outlive us for a moment.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import CloneInProgress, ReplicationRefused
from collec_migrations.replica import basebackup
from collec_migrations.replica.clone_order import Order

MAKE_IT = "Make it, for the account of the server."


# EX_TEMPFAIL of sysexits.h: try again later


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a former run had made and did not take back."""

    host: str
    port: int
    slot: str
    partial: bool
    """Whether its copy is still incomplete: then nobody uses the slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The open file of a clone."""

    path: Path
    descriptor: int

    def begin(self, order: Order) -> None:
        """Write what is about to be made, before it is."""
        facts = {"host": order.host, "port": order.port, "slot": order.slot}
        os.truncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps(facts).encode(), 0)
        os.fsync(self.descriptor)

    def end(self) -> None:
        """Forget it: all of it was made, or taken back."""
        self.path.unlink(missing_ok=True)


def path_of(order: Order) -> Path:
    """Return where the journal of a clone is."""
    return order.data.with_name(f"{order.data.name}.cloning")


@contextmanager
def opened(order: Order) -> Iterator[Journal]:
    """Give the journal, which is locked; raise AnotherClones when somebody else has it."""
    path = path_of(order)
    if not path.parent.is_dir():
        raise ReplicationRefused(f"{path.parent} is not there", hint=MAKE_IT)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CloneInProgress(
                f"another clone into {order.data} is at work",
                hint="Wait for its end; a copy goes on for a moment when its run was killed.",
            ) from None
        if os.fstat(descriptor).st_nlink == 0:
            raise CloneInProgress(
                f"another clone into {order.data} has just ended", hint="Try again."
            )
        try:
            yield Journal(path=path, descriptor=descriptor)
        finally:
            if os.fstat(descriptor).st_size == 0:  # nothing was begun
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def clear(journal: Journal, order: Order, drop: Callable[[Begun], None]) -> bool:
    """Remove what a killed run left, by `drop` also its slot; tell whether there was something."""
    begun = _begun(journal, order)
    if begun is None:
        if os.path.lexists(order.partial):
            raise ReplicationRefused(
                f"{order.partial} is there, and no clone of ours began it",
                hint="Move it away: a clone is made under that name.",
            )
        return False
    basebackup.remove(order.partial)
    drop(begun)
    os.truncate(journal.descriptor, 0)
    return True


def _begun(journal: Journal, order: Order) -> Begun | None:
    try:
        facts = json.loads(os.pread(journal.descriptor, 10_000, 0))
        return Begun(
            host=str(facts["host"]),
            port=int(facts["port"]),
            slot=str(facts["slot"]),
            partial=os.path.lexists(order.partial),
        )
    except (ValueError, KeyError, TypeError):
        return None
