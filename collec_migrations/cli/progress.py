"""Show how far a copy is, in bytes, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from collec_migrations.postgres.sizes import Advance

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
