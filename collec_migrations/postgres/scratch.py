"""Where a server for tests is made quickly: in memory, if there is plenty of it."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from collec_migrations.postgres.throwaway import FAST

MEMORY = Path("/dev/shm")
ROOM = 4_000_000_000
"""Bytes that must be free; a server with all the templates of this package's tests has half."""
QUICK: Mapping[str, str] = MappingProxyType(
    {**FAST, "max_wal_size": "128MB", "jit": "off", "autovacuum": "off"}
)
"""For a server in memory: it keeps little log, statements are too short to compile, and databases
go before a vacuum would pay."""
CONTROL = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
"""Files of a container's limit and use of memory, in the second and the first form of cgroups."""


def quick() -> Path:
    """Return a folder in memory when there is room, else the folder for temporary files."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if roomy and min(_left()) > ROOM else Path("/tmp")


def _left(root: Path = Path("/")) -> Iterator[int]:
    """Yield how many bytes of memory the machine, and the container, have left."""
    left = 0
    with contextlib.suppress(OSError, ValueError):
        table = (root / "proc/meminfo").read_text().splitlines()
        lines = dict(line.split(":", 1) for line in table)
        left = int(lines.get("MemAvailable", "0").split()[0]) * 1024
    yield left
    for limit, used in CONTROL:
        with contextlib.suppress(OSError, ValueError):
            group = root / "sys/fs/cgroup"
            yield int((group / limit).read_text()) - int((group / used).read_text())
