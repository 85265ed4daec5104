"""One measurement, the machine that it was made on, and what a whole run keeps."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
KEPT = FOLDER / "results.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """How long one way takes for one thing."""

    group: str
    what: str
    way: str
    """Ours begin with `collec-migrations` or `alembic`; others are what a user would take."""
    seconds: float
    """The median of whole processes, unless the group says otherwise."""
    movements: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Figures of another kind, as they are shown."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(slots=True, kw_only=True)
class Results:
    """What a run found."""

    command: str
    server: str
    """PostgreSQL's version."""
    peers: dict[str, str] = field(default_factory=dict)
    """Version of each other program."""
    date: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d}")
    machine: str = field(default_factory=lambda: machine())
    seconds: float = 0.0
    measurements: list[Measurement] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def to_json(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Results":
        """Return what `to_json` wrote."""
        stored: dict[str, Any] = json.loads(text)
        measurements = [Measurement(**one) for one in stored.pop("measurements")]
        tables = [
            Table(title=one["title"], columns=tuple(one["columns"]),
                  rows=tuple(map(tuple, one["rows"])))
            for one in stored.pop("tables")
        ]  # fmt: skip
        return cls(**stored, measurements=measurements, tables=tables)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median(works: Iterable[Callable[[], object]]) -> float:
    """Return the median of the seconds that each takes."""
    return statistics.median(timed(work) for work in works)


def machine() -> str:
    """Return what matters of this machine, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {system}, "
        f"Python {platform.python_version()}"
    )
