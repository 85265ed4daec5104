"""Results as a page: a table for each group, with ratios. Pure."""

from collections.abc import Iterator, Sequence

from benchmarks.measuring import Measurement, Results
from collec_migrations.postgres import sizes

GROUPS = {
    "install": ("Installation, and a run with nothing to do", "Whole processes, medians."),
    "upgrade": (
        "1.0.8 to 1.1",
        "Whole processes on clones of a laboratory's database, on a server that writes as a real "
        "one does; medians of three, one run each from a million movements on.",
    ),
    "read": ("Commands that only read", "Whole processes, medians, at 1.0.8."),
    "views": (
        "Queries of the view `last_movement`, before and after",
        "In one session, best of three; the view was written anew in 1.1.",
    ),
    "backup": ("Backup, proof and clone of a laboratory's database", "Whole processes, once."),
    "documents": ("Backup of documents, which hardly compress", "PostgreSQL 15 if it is there."),
    "standby": (
        "From nothing to a streaming standby",
        "Whole processes on a disk, with fsync, best of two; plain pg_basebackup does not verify "
        "its copy.",
    ),
    "wrapping": ("A wrapped script of the application", "Medians."),
}
OURS = ("alembic", "collec-migrations", "create database", "at 1.1")
"""How our ways begin; the ratio is to the quickest of the others."""


def page(results: Results) -> str:
    """Return the page."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield from ("# Results", "")
    yield "<!-- made by `make bench` from results.json -->"
    peers = ", ".join(f"{name} {version}" for name, version in results.peers.items())
    yield ""
    yield f"Measured on {results.date}: {results.machine}, PostgreSQL {results.server}; {peers}."
    minutes = f", {results.seconds / 60:.1f} minutes" if results.seconds else ""
    yield f"One run of `{results.command}`{minutes}."
    yield "A number after a time is its ratio to the quickest way of the others in the same row."
    yield from ("", "![time against size](results.svg)")
    for group, (title, remark) in GROUPS.items():
        found = [one for one in results.measurements if one.group == group]
        if found:
            yield from ("", f"## {title}", "", remark, "", *_table(found))
    for table in results.tables:
        yield from ("", f"## {table.title}", "", *_rows([table.columns, *table.rows]))


def _table(found: Sequence[Measurement]) -> Iterator[str]:
    ways = tuple(dict.fromkeys(one.way for one in found))
    things = tuple(dict.fromkeys((one.what, one.movements) for one in found))
    # Ways in columns where they are nearly the same for all things, else in rows.
    if len(found) * 4 >= len(ways) * len(things) * 3 and len(things) > 1:
        yield from _wide(found, ways, things)
    else:
        yield from _long(found)


def _wide(
    found: Sequence[Measurement],
    ways: Sequence[str],
    things: Sequence[tuple[str, int | None]],
) -> Iterator[str]:
    by_place = {(one.what, one.movements, one.way): one for one in found}
    rows = []
    for what, movements in things:
        cells = [by_place.get((what, movements, way)) for way in ways]
        rows.append((named(what, movements), *(_cell(one, found) if one else "" for one in cells)))
    yield from _rows([("", *ways), *rows])


def _long(found: Sequence[Measurement]) -> Iterator[str]:
    rows = [
        (
            named(one.what, one.movements),
            one.way,
            _cell(one, found),
            sizes.shown(one.bytes) if one.bytes is not None else "",
        )
        for one in found
    ]
    yield from _rows([("", "way", "time", "size"), *rows])


def _rows(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield f"| {' | '.join(row)} |"
        if number == 0:
            yield "|" + "---|" * len(row)


def _cell(one: Measurement, found: Sequence[Measurement]) -> str:
    others = [
        other.seconds
        for other in found
        if (other.what, other.movements) == (one.what, one.movements) and not is_ours(other)
    ]
    ratio = f" ({one.seconds / min(others):.1f})" if others else ""
    return shown(one.seconds) + ratio


def is_ours(one: Measurement) -> bool:
    """Say whether a way is ours."""
    return one.way.startswith(OURS)


def named(what: str, movements: int | None) -> str:
    """Return what was measured, with its size."""
    return f"{what}, {movements:,} movements" if movements else what


def shown(seconds: float) -> str:
    """Return a time with the digits that matter."""
    if seconds < 0.1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
