"""Entries as a page: a table for each, with ratios to its yardstick. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.measuring import Entry, Row
from collec_migrations.postgres import sizes

TITLES = {
    "start": "Start-up: commands that read, and runs with nothing to do",
    "install": "A fresh installation of the newest version",
    "chain": "1.1 to the newest version",
    "settings": "What settings of the server do to a run",
    "step": "1.0.8 to 1.1 and back, with 1,000,000 movements",
    "wrap": "A script of the application's own",
    "adopt": "Adopt a database with repairs",
    "rehearse": "Rehearse an upgrade",
    "physical": "Back up the same on PostgreSQL 15, beside pgBackRest",
    "backup": "Back up a database that is mostly documents",
}


def page(entries: Mapping[str, Entry]) -> str:
    """Return the page."""
    return "\n".join(_lines(entries)) + "\n"


def _lines(entries: Mapping[str, Entry]) -> Iterator[str]:
    yield from ("# Results", "", "<!-- made by `make bench` from results.json -->", "")
    yield "Whole processes, ways in turn; the least of several runs. Processor time is that of the"
    yield "program alone, without the server's. A ratio is of wall times, to the way of the same"
    yield "group that has 1.00."
    for name, title in TITLES.items():
        if name in entries:
            found = entries[name]
            yield from ("", f"## {title}", "")
            yield (
                f"`make bench ARGS='{name}'`, {found.date}, {found.seconds:.0f} s:"
                f" {found.machine}, PostgreSQL {found.server};"
                f" a loop on each core took {found.busy:.2f} times its processor time."
            )
            yield from ("", *_table(found.rows))


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| | way | wall | processor | ratio | aim | size | runs | spread |"
    yield "|---|---|---|---|---|---|---|---|---|"
    what = ""
    for one in rows:
        cells = (
            one.what if one.what != what else "",
            one.way,
            shown(one.wall),
            shown(one.cpu) if one.cpu is not None else "",
            ratio(one, rows),
            one.aim,
            sizes.shown(one.bytes) if one.bytes is not None else "",
            str(one.runs),
            f"{one.spread:.2f}",
        )
        yield f"| {' | '.join(cells)} |"
        what = one.what


def ratio(one: Row, rows: Sequence[Row]) -> str:
    """Return how many times as long as its yardstick a way takes."""
    yardstick = next((r for r in rows if r.what == one.what and r.yardstick), None)
    return f"{one.wall / yardstick.wall:.2f}" if yardstick else ""


def shown(seconds: float) -> str:
    """Return a time with the digits that matter."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 100 else f"{seconds:.0f} s"
