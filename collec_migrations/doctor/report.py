"""The page: lines, each with a verdict and what to do about it."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.postgres import sizes
from collec_migrations.replica import Verdict, worst

SCARCE = 0.10
"""Of a disk: time to make room."""
LAST = 0.02
"""Of a disk: the server stops when nothing is left for its WAL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number behind a line, for those who draw curves."""

    value: float
    unit: str = ""
    """As Nagios has it: s, B, % or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was looked at."""

    group: str
    name: str
    """Stable, for programs and for COLLEC_DOCTOR_IGNORE."""
    verdict: Verdict | None
    """None: it cannot be told, and `text` says why."""
    text: str
    command: str = ""
    """What to run, or to do; empty: nothing."""
    figure: Figure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that was looked at."""

    title: str
    lines: tuple[Line, ...]
    ignored: frozenset[str] = frozenset()
    """Names of lines that do not count."""

    @property
    def counted(self) -> tuple[Line, ...]:
        """The lines that count."""
        return tuple(one for one in self.lines if one.name not in self.ignored)

    @property
    def verdict(self) -> Verdict:
        """The worst of the lines that count; what cannot be told does not."""
        return worst(one.verdict for one in self.counted if one.verdict is not None)

    def of(self, verdict: Verdict | None) -> tuple[Line, ...]:
        """Return the lines that count and have this verdict."""
        return tuple(one for one in self.counted if one.verdict is verdict)


def first_bad(
    bad: Sequence[tuple[bool, Verdict, str, str]], *, group: str, name: str, good: str
) -> Line:
    """Return a line by the first condition that holds: verdict, text, what to do; else `good`."""
    for holds, verdict, text, command in bad:
        if holds:
            return Line(group=group, name=name, verdict=verdict, text=text, command=command)
    return Line(group=group, name=name, verdict=Verdict.OK, text=good)


def ago(seconds: float) -> str:
    """Return a length of time for a person."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def disk(group: str, name: str, folder: Path | None, why_not: str) -> Line:
    """Return the line about the disk of a folder; `why_not` is the text without a folder."""
    if folder is None:
        return Line(group=group, name=name, verdict=None, text=why_not)
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return Line(group=group, name=name, verdict=None, text=f"{folder}: {why}")
    return disk_space(group, name, folder, free=usage.free, total=usage.total)


def disk_space(group: str, name: str, folder: Path, *, free: int, total: int) -> Line:
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
