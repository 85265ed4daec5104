"""Private temporary folders: gone at the end, and by the next run when a run was killed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "collec-"
MARK = ".in-use"
"""A file within, locked as long as its process lives."""


def make(parent: Path) -> tuple[Path, int]:
    """Return a new folder, and the descriptor that keeps it: closed, the next run removes it.

    What killed runs left beside it is removed first.
    """
    sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    descriptor = os.open(folder / MARK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return folder, descriptor


@contextmanager
def private(parent: Path | None) -> Iterator[Path]:
    """Give a new folder for its owner alone, gone at the end."""
    folder, descriptor = make(parent or Path(tempfile.gettempdir()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def sweep(parent: Path) -> None:
    """Remove the folders that killed runs left; those of others and those in use stay."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if os.geteuid() not in (0, folder.lstat().st_uid):
                continue
            descriptor = os.open(folder / MARK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
