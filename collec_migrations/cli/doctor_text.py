"""Show the page on a site's health: to a person, as JSON, to Nagios. Pure."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

import typer

from collec_migrations.doctor import Line, Page
from collec_migrations.replica.states import Verdict

COLOURS = {Verdict.OK: "green", Verdict.ATTENTION: "yellow", Verdict.BROKEN: "red"}
UNKNOWN, IGNORED = "?", "ignored"
NAGIOS = {Verdict.OK: (0, "OK"), Verdict.ATTENTION: (1, "WARNING"), Verdict.BROKEN: (2, "CRITICAL")}


def lines(page: Page, *, colour: bool) -> Iterator[str]:
    """Yield the page for a person."""
    yield _plain(page.title)
    width = max((len(one.name) for one in page.lines), default=0)
    for group, its in groupby(page.lines, key=lambda one: one.group):
        yield f"\n{group}"
        for one in its:
            word = _word(page, one)
            padded = word.ljust(len(Verdict.ATTENTION))
            if colour and word in COLOURS:
                padded = typer.style(padded, fg=COLOURS[Verdict(word)])
            yield f"  {padded}  {one.name.ljust(width)}  {_plain(one.text)}"
            if one.command and one.verdict is not Verdict.OK:
                yield f"  {' ' * len(Verdict.ATTENTION)}  {' ' * width}  -> {_plain(one.command)}"
    yield f"\n{summary(page)}"


def summary(page: Page) -> str:
    """Return how many lines are how."""
    counts = [(len(page.of(verdict)), str(verdict)) for verdict in reversed(Verdict)]
    counts += [(len(page.of(None)), "unknown")]
    return f"{page.verdict}: " + ", ".join(f"{count} {word}" for count, word in counts if count)


def as_json(page: Page) -> dict[str, Any]:  # what json takes
    """Return the same facts for programs."""
    return {
        "verdict": page.verdict,
        "title": page.title,
        "lines": [{**asdict(one), "ignored": one.name in page.ignored} for one in page.lines],
    }


def nagios(page: Page) -> tuple[int, str]:
    """Return the exit status and the line of a Nagios plugin, with performance data."""
    status, word = NAGIOS[page.verdict]
    bad = [*page.of(Verdict.BROKEN), *page.of(Verdict.ATTENTION)]
    told = "; ".join(f"{one.name}: {one.text}" for one in bad) or summary(page)
    data = " ".join(
        f"'{_label(one.name)}'={one.figure.value:g}{one.figure.unit}"
        for one in page.lines
        if one.figure
    )
    return status, f"COLLEC {word} - {_plain(told).replace('|', '/')}" + (
        f" | {data}" if data else ""
    )


def _word(page: Page, one: Line) -> str:
    if one.name in page.ignored:
        return IGNORED
    return UNKNOWN if one.verdict is None else str(one.verdict)


def _label(name: str) -> str:
    """Return a name as a label of performance data: without what would end it."""
    return "".join("_" if c in "'=|" or not c.isprintable() else c for c in name)


def _plain(text: str) -> str:
    """Return a text on one line, without what would move the cursor of a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
