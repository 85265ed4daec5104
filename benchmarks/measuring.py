"""One row of a table, a process that is measured, and whether the machine was quiet meanwhile."""

import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
BUSY = 1.25
"""Wall time over processor time of a loop on each core from which on others were at work."""
LOOPS = 3_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one way took: the least of its runs."""

    what: str
    way: str
    wall: float
    cpu: float | None = None
    """Processor time of the program itself, in seconds; None: it was not measured."""
    runs: int = 1
    spread: float = 1.0
    """The median of the wall times over the least."""
    yardstick: bool = False
    """Whether others of the same `what` are measured by it."""
    aim: str = ""
    bytes: int | None = None


@dataclass(slots=True, kw_only=True)
class Entry:
    """What one entry found, when and where."""

    date: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M}")
    machine: str = field(default_factory=lambda: machine())
    server: str = ""
    seconds: float = 0.0
    busy: float = 1.0
    """The upper quartile of the probes."""
    rows: list[Row] = field(default_factory=list)


def loads(text: str) -> dict[str, Entry]:
    """Return the entries that `dumps` wrote."""
    stored: dict[str, Any] = json.loads(text)
    return {
        name: Entry(**{**entry, "rows": [Row(**row) for row in entry["rows"]]})
        for name, entry in stored.items()
    }


def dumps(entries: Mapping[str, Entry]) -> str:
    """Return entries as JSON."""
    return json.dumps({name: asdict(one) for name, one in entries.items()}, indent=1) + "\n"


def process(
    words: Sequence[str], folder: Path = ROOT, variables: Mapping[str, str] | None = None
) -> tuple[float, float]:
    """Run a command, which must succeed; return its wall time and processor time in seconds."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            said = output.read().decode("utf-8", "replace")
            raise RuntimeError(f"{shlex.join(words)} failed:\n{said}")
    return wall, used.ru_utime + used.ru_stime


def row(
    what: str, way: str, taken: Sequence[tuple[float, float]], *, yardstick: bool = False,
    aim: str = "", size: int | None = None,
) -> Row:  # fmt: skip
    """Return the row of some runs, each a wall time and a processor time."""
    walls = sorted(wall for wall, _ in taken)
    return Row(
        what=what,
        way=way,
        wall=walls[0],
        cpu=min(cpu for _, cpu in taken),
        runs=len(walls),
        spread=walls[len(walls) // 2] / walls[0],
        yardstick=yardstick,
        aim=aim,
        bytes=size,
    )


def probe() -> float:
    """Return how much longer a loop on each core takes than its processor time: 1.0 is quiet."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        return max(pool.map(_loop, [LOOPS] * cores))


def _loop(times: int) -> float:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        pass
    return (time.perf_counter() - wall) / (time.process_time() - cpu)


def machine() -> str:
    """Return what matters of this machine, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    system = platform.freedesktop_os_release().get("PRETTY_NAME", sys.platform)
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {system}, "
        f"Python {platform.python_version()}"
    )
