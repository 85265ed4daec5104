"""Positions in the WAL as numbers of bytes, and where a timeline left another. Pure."""

from collections.abc import Sequence
from typing import TypeAlias

from collec_migrations.errors import ReplicationFailed

History: TypeAlias = Sequence[tuple[int, int]]
"""Former timelines of a server, and the position at which each was left."""


def parse(text: str) -> int:
    """Return the position that PostgreSQL writes as `16/B374D848`."""
    high, separator, low = text.strip().partition("/")
    try:
        if not separator:
            raise ValueError(text)
        return (int(high, 16) << 32) + int(low, 16)
    except ValueError:
        raise ReplicationFailed(f"{text!r} is not a position in the WAL") from None


def shown(position: int) -> str:
    """Return a position as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def history(content: str) -> History:
    """Return what a timeline's history file tells: `parent<tab>position<tab>reason` on a line."""
    rows = (line.split() for line in content.splitlines() if line.strip() and line[0] != "#")
    return tuple((int(row[0]), parse(row[1])) for row in rows)
