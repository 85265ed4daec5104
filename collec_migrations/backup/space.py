"""Is there room for a backup? Pure but for the question itself."""

import shutil
from pathlib import Path

from collec_migrations.backup.faults import BackupFailed

MARGIN = 16 << 20
GROWTH = 1.3
FIRST = 0.4
"""Of a database's size: what its first dump takes as a rule (facts: 33 MB of 108)."""


def needed(*, previous: int | None, database: int) -> int:
    """Return the bytes that have to be free before a dump starts."""
    return round(previous * GROWTH if previous else database * FIRST) + MARGIN


def check(folder: Path, bytes_needed: int, *, what: str) -> None:
    """Raise `BackupFailed` when a folder has not enough room."""
    free = shutil.disk_usage(folder).free
    if free < bytes_needed:
        raise BackupFailed(
            f"{folder} has {shown(free)} free, and {what} needs {shown(bytes_needed)}",
            hint="Make room: `collec-migrations backup prune`, or another folder.",
        )


def shown(size: float) -> str:
    """Return a number of bytes for a person."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"


def of_folder(folder: Path) -> int:
    """Return the bytes of all files below a folder, some of which may just be going."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total
