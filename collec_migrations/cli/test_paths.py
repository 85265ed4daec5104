"""`collec-migrations test-paths`: every version to the newest and back, on throwaway servers."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from collec_migrations.cli import options, render
from collec_migrations.errors import UsageError

if TYPE_CHECKING:
    from collec_migrations.testing import ServerResult

ROWS = int(os.environ.get("COLLEC_TEST_ROWS", "300"))
"""Movements in the databases that are filled."""


def test_paths(
    server: Annotated[
        str | None,
        typer.Option("--server", help="PostgreSQL majors, as 15,17,18; else all of this machine."),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Start versions, as 1.0,1.0.8; else every one.")
    ] = None,
    report: options.Report = None,
    as_json: options.Json = False,
) -> None:
    """Try every version's path to the newest and back.

    The report is JUnit XML. Exit status: 1 when a path failed.
    """
    majors = _majors(server)
    if report and not report.parent.is_dir():
        raise UsageError(f"there is no folder {report.parent} for the report")
    # Alembic and SQLAlchemy take 0.45 s to import: other commands do not pay for them.
    from collec_migrations import testing
    from collec_migrations.testing import path_report

    starts = from_.split(",") if from_ else ()
    found = testing.try_paths(majors, starts=starts, rows=ROWS, say=options.say)
    if report:
        try:
            report.write_text(testing.as_junit(found), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{report} cannot be written: {error.strerror}") from error
    if as_json:
        render.write_json(path_report.as_json(found))
    else:
        _show(found)
    raise typer.Exit(1 if any(one.failed for one in found) else 0)


def _majors(listed: str | None) -> tuple[int, ...]:
    try:
        return tuple(int(major) for major in listed.split(",")) if listed else ()
    except ValueError:
        raise UsageError(
            f"{listed!r} is no list of PostgreSQL majors", hint="Write it as 15,17,18."
        ) from None


def _show(found: "Sequence[ServerResult]") -> None:
    """Write the table, in colours and lines on a terminal, then what failed."""
    from collec_migrations.testing import path_report

    console = Console(highlight=False)
    rows = list(path_report.rows(found))
    if console.is_terminal:
        shown = Table(*path_report.TITLES)
        for row in rows:
            shown.add_row(*row, style="bold red" if row[-1] == "FAILED" else None)
        console.print(shown)
    else:
        for line in render.table(path_report.TITLES, rows):
            typer.echo(line)
    for line in path_report.details(found):
        typer.echo(line)
    typer.echo(path_report.summary(found))
