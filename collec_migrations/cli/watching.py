"""Show a run on standard error: statements that last, and a bar on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from collec_migrations.sql import Statement

LASTING = 1.0
"""Seconds from which on a statement is named."""
SHOWN = 60


class Watcher:
    """Follows the statements of a run, with or without a bar."""

    def __init__(self, console: Console, bar: Bar | None, total: int) -> None:
        self._console = console
        self._bar = bar
        self._task = bar.add_task("", total=total) if bar else None

    def say(self, message: str) -> None:
        """Write a line, above the bar when there is one."""
        self._console.print(message, markup=False, highlight=False, soft_wrap=True)

    def restart(self) -> None:
        """Begin at the first statement."""
        if self._bar and self._task is not None:
            self._bar.reset(self._task)

    def begin(self, shown: str, statement: Statement) -> None:
        """Name the statement that runs."""
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=f"{shown}:{statement.line}")

    def end(self, shown: str, statement: Statement, seconds: float) -> None:
        """Count a statement; keep a line of one that lasted."""
        if self._bar and self._task is not None:
            self._bar.advance(self._task)
        if seconds > LASTING:
            self.say(lasting(shown, statement, seconds))


def lasting(shown: str, statement: Statement, seconds: float) -> str:
    """Return the line about a statement that lasted."""
    beginning = " ".join(statement.text.split())
    if len(beginning) > SHOWN:
        beginning = f"{beginning[: SHOWN - 3]}..."
    return f"{shown}:{statement.line}: {beginning} ({seconds:.1f} s)"


@contextmanager
def watcher(total: int) -> Iterator[Watcher]:
    """Give a watcher on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Watcher(console, None, total)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        yield Watcher(console, bar, total)
