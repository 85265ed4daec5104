"""One backup at a time into a folder, and none removed while somebody reads it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collec_migrations.backup import manifest
from collec_migrations.errors import BackupInProgress
from collec_migrations.postgres import files

NAME = ".lock"


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Hold the lock of a folder; give its descriptor, for programs that must not outlive it.

    A dump that goes on after we were killed inherits it, and so keeps the next run out.
    """
    descriptor = files.open_lock(folder / NAME)  # the folder's own account takes it the next time
    try:
        if not _try(descriptor, fcntl.LOCK_EX):
            holder = os.read(descriptor, 100).decode(errors="replace").strip()
            raise BackupInProgress(
                f"another backup into {folder} is running ({holder or 'just started'})",
                hint="Wait until it has ended; a dump goes on for a while when its run was killed.",
            )
        os.truncate(descriptor, 0)
        os.write(descriptor, f"pid {os.getpid()}\n".encode())
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def reading(backup: Path) -> Iterator[None]:
    """Keep others from removing a backup in this block."""
    descriptor = files.open_plain(backup / manifest.NAME)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def is_read(backup: Path) -> bool:
    """Tell whether somebody restores or verifies a backup at this moment."""
    try:
        descriptor = files.open_plain(backup / manifest.NAME)
    except OSError:
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _try(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
