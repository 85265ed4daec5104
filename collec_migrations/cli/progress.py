"""Show on standard error how far a run or a copy is."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from collec_migrations.postgres.sizes import Advance
from collec_migrations.sql import Statement

Say = Callable[[str], None]


@contextmanager
def watched() -> Iterator[tuple[Say, Advance]]:
    """Give what says a line on standard error, and what moves the bar of a terminal."""
    console = Console(stderr=True)

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    if not console.is_terminal:
        yield say, lambda _done, _total: None
        return
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn(), TextColumn("left"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def advance(done: int, total: int) -> None:
            # Of a first backup the total is the most that it may be: the bar jumps at its end.
            bar.update(task, completed=done, total=max(done, total) if total else None)

        yield say, advance


LASTING = 1.0
"""Seconds from which on a statement is named."""
SHOWN = 60


Weights = Mapping[tuple[str, int], float]
"""About how long each statement takes beside the others, by script and line."""


class Watcher:
    """Follows the statements of a run, with or without a bar."""

    def __init__(self, console: Console, bar: Progress | None, weights: Weights) -> None:
        self._console = console
        self._bar = bar
        self._left = dict(weights)
        self._weights = weights
        self.has_run = False
        self._task = bar.add_task("", total=sum(weights.values())) if bar else None

    def say(self, message: str) -> None:
        """Write a line, above the bar when there is one."""
        self._console.print(message, markup=False, highlight=False, soft_wrap=True)

    def restart(self) -> None:
        """Begin at the first statement."""
        self.has_run = False
        self._left = dict(self._weights)
        if self._bar and self._task is not None:
            self._bar.reset(self._task)

    def begin(self, shown: str, statement: Statement) -> None:
        """Name the statement that runs."""
        self.has_run = True
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=f"{shown}:{statement.line}")

    def end(self, shown: str, statement: Statement, seconds: float) -> None:
        """Count what a statement weighs, once; keep a line of one that lasted."""
        weight = self._left.pop((shown, statement.line), 0)
        if self._bar and self._task is not None:
            self._bar.advance(self._task, weight)
        if seconds > LASTING:
            self.say(lasting(shown, statement, seconds))


def lasting(shown: str, statement: Statement, seconds: float) -> str:
    """Return the line about a statement that lasted."""
    beginning = " ".join(statement.text.split())
    if len(beginning) > SHOWN:
        beginning = f"{beginning[: SHOWN - 3]}..."
    return f"{shown}:{statement.line}: {beginning} ({seconds:.1f} s)"


@contextmanager
def watcher(weights: Weights) -> Iterator[Watcher]:
    """Give a watcher on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Watcher(console, None, weights)
        return
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield Watcher(console, bar, weights)
