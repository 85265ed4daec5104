"""The page: lines, each with a verdict and what to do about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from collec_migrations.replica.states import Verdict, worst


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
    """Stable, for programs and for `--ignore`."""
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
