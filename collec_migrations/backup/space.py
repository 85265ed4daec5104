"""Is there room for a backup? Pure but for the question itself."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from collec_migrations.backup.contents import Table
from collec_migrations.errors import BackupFailed
from collec_migrations.postgres import sizes

MARGIN = 16 << 20
GROWTH = 1.3
ROWS = 0.4
"""Of ordinary rows: what a dump takes of them as a rule (33 MB of 108)."""
APART = 0.8
"""Of long texts, which PostgreSQL has compressed once already."""
BYTES = 1.2
"""Of bytes: a dump writes them in hexadecimal, and an image or a PDF gives nothing back (1.06 to
1.14 by gzip, benchmarks/RESULTS.md)."""


def first(tables: Iterable[Table], large_objects: int) -> int:
    """Return the bytes that a first dump may take at most; only a dump itself tells it exactly."""
    rates = [
        (one.heap + one.apart) * BYTES if one.has_bytes else one.heap * ROWS + one.apart * APART
        for one in tables
    ]
    return round(sum(rates) + large_objects * BYTES)


def needed(*, previous: int | None, first: int) -> int:
    """Return the bytes that have to be free before a dump starts."""
    return round(previous * GROWTH if previous else first) + MARGIN


def check(folder: Path, bytes_needed: int, *, what: str) -> None:
    """Raise `BackupFailed` when a folder has not enough room."""
    free = shutil.disk_usage(folder).free
    if free < bytes_needed:
        raise BackupFailed(
            f"{folder} has {sizes.shown(free)} free, and {what} needs {sizes.shown(bytes_needed)}",
            hint="Make room: `collec-migrations backup prune`, or another folder.",
        )
