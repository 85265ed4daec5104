"""What each statement of the chain locks, rewrites and reads: facts measured by `make facts`.

They were recorded on real servers (`tools/facts.py`), one statement after the other, from
`pg_locks`, the file nodes of tables and the counters of their scans.
"""

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TypedDict

FILE = "locks.json"

MODES = (
    "access share",
    "row share",
    "row exclusive",
    "share update exclusive",
    "share",
    "share row exclusive",
    "exclusive",
    "access exclusive",
)
"""Weakest first (PostgreSQL manual, 13.3.1)."""
STOPS_WRITERS = MODES.index("share")
STOPS_READERS = MODES.index("access exclusive")


class Script(TypedDict):
    """What was measured of a script, by lines."""

    checksum: str
    statements: dict[str, "Measured"]


class Measured(TypedDict, total=False):
    """What was seen of one statement, by tables as `role.table`."""

    locks: dict[str, str]
    rewrites: list[str]
    scans: list[str]


def of_script(name: str, text: str) -> Mapping[int, Measured] | None:
    """Return what was measured, by line; None for a script that was not, or not as it is now."""
    known = _facts().get(name)
    if known is None or known["checksum"] != checksum(text):
        return None
    return {int(line): found for line, found in known["statements"].items()}


def checksum(text: str) -> str:
    """Return what tells whether a script is the one that was measured."""
    return sha256(text.replace("\r\n", "\n").encode()).hexdigest()[:16]


def blocks(mode: str) -> str:
    """Return whom a lock keeps out: nobody (empty), writers, or readers and writers."""
    rank = MODES.index(mode)
    if rank >= STOPS_READERS:
        return "readers and writers"
    return "writers" if rank >= STOPS_WRITERS else ""


@cache
def _facts() -> dict[str, Script]:
    path = files("collec_migrations.data") / FILE
    if not path.is_file():
        return {}
    found: dict[str, Script] = json.loads(path.read_text("utf-8"))
    return found
