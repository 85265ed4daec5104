"""Bytes: of a folder, for a person, and while something is written."""

from collections.abc import Callable
from pathlib import Path

LOOK = 0.2
"""Seconds between two looks at what grows."""
Advance = Callable[[int, int], None]
"""Told the bytes written and, as far as known, all that are to be written."""


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
