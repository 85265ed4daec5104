"""`collec-migrations doctor`: one page on a site, for people, JSON and Nagios."""

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import typer

from collec_migrations import replica
from collec_migrations.cli import options, place, render
from collec_migrations.cli.render import one_line
from collec_migrations.doctor import Line, Page, Site, examine
from collec_migrations.errors import MigrationError, UsageError
from collec_migrations.replica import Verdict

STATUS = {Verdict.OK: 0, Verdict.ATTENTION: 1, Verdict.BROKEN: 3}
"""Exit statuses, as those of `replica status`; 2 is a mistake in the command."""
UNKNOWN = 3
"""Nagios: nothing can be said."""
IGNORE = "COLLEC_DOCTOR_IGNORE"
"""Lines that are not to count, separated by commas."""


def doctor(
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    into: options.IntoIfAny = None,
    node_: options.Nodes = None,
    as_json: options.Json = False,
    nagios: options.Nagios = False,
) -> None:
    """Tell how a site is, in one page: 0 all is well, 1 needs attention, 3 broken."""
    if as_json and nagios:
        raise UsageError("--json and --nagios cannot be given together")
    try:
        site = _site(place.find(url=url, gacl=gacl, col=col, app=app), into, node_)
    except MigrationError as error:
        if not nagios:
            raise
        typer.echo(f"COLLEC UNKNOWN - {error}")
        raise typer.Exit(UNKNOWN) from error
    page = examine(site)
    if nagios:
        status, line = nagios_line(page)
        typer.echo(line)
        raise typer.Exit(status)
    if as_json:
        render.write_json(page_facts(page))
    else:
        colour = render.has_colours(sys.stdout)
        typer.echo("\n".join(page_lines(page, colour=colour)), color=colour)
    raise typer.Exit(STATUS[page.verdict])


def _site(
    where: place.Place,
    into: Path | None,
    given: list[str] | None,
) -> Site:
    file = options.folder_in(options.NODES)
    some = given or file or replica.FILE.exists()
    return Site(
        address=where.address,
        pairs=lambda session: place.pairs_in(session, where),
        expected=where.expected,
        role=where.role,
        options=where.options,
        backups=into,
        nodes=replica.known_nodes(given or (), file) if some else (),
        ignored=frozenset(filter(None, os.environ.get(IGNORE, "").split(","))),
    )


COLOURS = {Verdict.OK: "green", Verdict.ATTENTION: "yellow", Verdict.BROKEN: "red"}
UNSEEN, IGNORED = "?", "ignored"
SHOWN = ("group", "name", "verdict", "text", "command")


def page_lines(page: Page, *, colour: bool) -> Iterator[str]:
    """Yield the page for a person."""
    yield one_line(page.title)
    width = max((len(one.name) for one in page.lines), default=0)
    for group, its in groupby(page.lines, key=lambda one: one.group):
        yield f"\n{group}"
        for one in its:
            word = _word(page, one)
            padded = word.ljust(len(Verdict.ATTENTION))
            if colour and word in COLOURS:
                padded = typer.style(padded, fg=COLOURS[Verdict(word)])
            yield f"  {padded}  {one.name.ljust(width)}  {one_line(one.text)}"
            if one.command and one.verdict is not Verdict.OK:
                yield f"  {' ' * len(Verdict.ATTENTION)}  {' ' * width}  -> {one_line(one.command)}"
    yield f"\n{summary(page)}"


def summary(page: Page) -> str:
    """Return how many lines are how."""
    counts = [(len(page.of(verdict)), str(verdict)) for verdict in reversed(Verdict)]
    counts += [(len(page.of(None)), "unknown")]
    return f"{page.verdict}: " + ", ".join(f"{count} {word}" for count, word in counts if count)


def page_facts(page: Page) -> dict[str, Any]:  # what json takes
    """Return the same facts for programs."""
    return {
        "verdict": page.verdict,
        "title": page.title,
        "lines": [
            {
                **{name: getattr(one, name) for name in SHOWN},
                "figure": asdict(one.figure) if one.figure else None,
                "ignored": one.name in page.ignored,
            }
            for one in page.lines
        ],
    }


def nagios_line(page: Page) -> tuple[int, str]:
    """Return the exit status and the line of a Nagios plugin, with performance data."""
    bad = [*page.of(Verdict.BROKEN), *page.of(Verdict.ATTENTION)]
    text = "; ".join(f"{one.name}: {one.text}" for one in bad) or summary(page)
    data = [
        f"'{_label(one.name)}'={one.figure.value:g}{one.figure.unit}"
        for one in page.lines
        if one.figure
    ]
    return render.nagios("COLLEC", page.verdict, text, data)


def _word(page: Page, one: Line) -> str:
    if one.name in page.ignored:
        return IGNORED
    return UNSEEN if one.verdict is None else str(one.verdict)


def _label(name: str) -> str:
    """Return a name as a label of performance data: without what would end it."""
    return "".join("_" if c in "'=|" or not c.isprintable() else c for c in name)
