"""Where quick servers go: a container's limit counts, and what cannot be told counts as nothing."""

from pathlib import Path

import pytest

from collec_migrations.postgres import throwaway

MEMINFO = "MemTotal: 24000000 kB\nMemFree: 1 kB\nMemAvailable: 20000000 kB\n"


def machine(root: Path, files: dict[str, str]) -> Path:
    """Make a root folder with some of the kernel's files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({}, 0),
        ({"proc/meminfo": "nonsense"}, 0),
        ({"proc/meminfo": MEMINFO}, 20_480_000_000),
        (
            {
                "proc/meminfo": MEMINFO,
                "sys/fs/cgroup/memory.max": "2000000000\n",
                "sys/fs/cgroup/memory.current": "500000000\n",
            },
            1_500_000_000,
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "sys/fs/cgroup/memory.max": "max\n",
                "sys/fs/cgroup/memory.current": "500000000\n",
            },
            20_480_000_000,
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "3000000000",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "2999999999",
            },
            1,
        ),
    ],
    ids=["nothing", "nonsense", "machine", "container", "no-limit", "older-container"],
)
def test_the_least_of_all_limits_is_what_is_left(
    tmp_path: Path, files: dict[str, str], left: int
) -> None:
    assert min(throwaway.memory_left(machine(tmp_path, files))) == left
