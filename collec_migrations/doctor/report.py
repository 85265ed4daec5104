"""The page: lines, each of which says that all is well, or holds a problem, or cannot be told."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import Level, Problem
from collec_migrations.postgres import sizes
from collec_migrations.replica import Verdict, verdict_of, worst

BROKEN, ATTENTION = Level.ERROR, Level.WARNING
Check = tuple[bool, Level, str, str]
"""Whether something is wrong, how bad, what, and what to do."""
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


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at."""

    group: str
    name: str
    """Stable, for programs and for COLLEC_DOCTOR_IGNORE."""
    good: str = ""
    """How it is where there is no problem."""
    problem: Problem | None = None
    """One that is not certain is a question that could not be answered."""
    figure: Figure | None = None

    @property
    def verdict(self) -> Verdict | None:
        """None: it cannot be told, and `text` says why."""
        if self.problem is None:
            return Verdict.OK
        return verdict_of([self.problem]) if self.problem.certain else None

    @property
    def text(self) -> str:
        """How it is, or what is wrong."""
        return self.problem.message if self.problem else self.good

    @property
    def command(self) -> str:
        """What to run, or to do; empty: nothing."""
        return self.problem.hint if self.problem else ""


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


def checked(group: str, name: str, good: str, *checks: Check, figure: Figure | None = None) -> Line:
    """Return a line with the first problem that holds, else with what is good."""
    for holds, level, message, hint in checks:
        if holds:
            problem = Problem(code=name, level=level, message=message, hint=hint)
            return Line(group, name, problem=problem, figure=figure)
    return Line(group, name, good, figure=figure)


def unknown(group: str, name: str, why: str, hint: str = "") -> Line:
    """Return a line about what cannot be told."""
    problem = Problem(code=name, level=Level.WARNING, message=why, hint=hint, certain=False)
    return Line(group, name, problem=problem)


def ago(seconds: float) -> str:
    """Return a length of time for a person."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def disk(group: str, name: str, folder: Path | None, why_not: str) -> Line:
    """Return the line about the disk of a folder; `why_not` is the text without a folder."""
    if folder is None:
        return unknown(group, name, why_not)
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        return unknown(group, name, f"{folder}: {(error.strerror or str(error)).lower()}")
    return disk_space(group, name, folder, free=usage.free, total=usage.total)


def disk_space(group: str, name: str, folder: Path, *, free: int, total: int) -> Line:
    """Return the line about a disk."""
    share = free / max(total, 1)
    text = f"{sizes.shown(free)} free of {sizes.shown(total)} ({share:.0%}) for {folder}"
    make_room = f"Make room: du -xh {folder} | sort -h | tail"
    return checked(
        *(group, name, text),
        (share < LAST, BROKEN, text, make_room),
        (share < SCARCE, ATTENTION, text, make_room),
        figure=Figure(value=free, unit="B"),
    )
