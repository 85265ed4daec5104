"""The room on the disks of this machine: where the data are, and where the backups go."""

import shutil
from pathlib import Path

from collec_migrations.doctor.report import Figure, Line
from collec_migrations.postgres import sizes
from collec_migrations.replica.states import Verdict

SCARCE = 0.10
"""Of a disk: time to make room."""
LAST = 0.02
"""Of a disk: the server stops when nothing is left for its WAL."""


def line(group: str, name: str, folder: Path | None, why_not: str) -> Line:
    """Return the line about the disk of a folder; `why_not` is told when there is no folder."""
    if folder is None:
        return Line(group=group, name=name, verdict=None, text=why_not)
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return Line(group=group, name=name, verdict=None, text=f"{folder}: {why}")
    return judge(group, name, folder, free=usage.free, total=usage.total)


def judge(group: str, name: str, folder: Path, *, free: int, total: int) -> Line:
    """Return the line about a disk."""
    share = free / max(total, 1)
    verdict = (
        Verdict.BROKEN if share < LAST else Verdict.ATTENTION if share < SCARCE else Verdict.OK
    )
    return Line(
        group=group,
        name=name,
        verdict=verdict,
        text=f"{sizes.shown(free)} free of {sizes.shown(total)} ({share:.0%}) for {folder}",
        command="" if verdict is Verdict.OK else f"Make room: du -xh {folder} | sort -h | tail",
        figure=Figure(value=free, unit="B"),
    )
