"""What a rehearsal found out: for a person, for a program, as one HTML page. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

from collec_migrations import __version__
from collec_migrations.bridge import Difference
from collec_migrations.postgres import sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How long others would have had to wait for a table."""

    table: str
    stops_reading: bool
    """False: only those who write would have waited."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One version of one schema, and how long it took to get there."""

    schema: str
    version: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table before and after, told by PostgreSQL's own number for it."""

    before: str
    after: str
    """Its name afterwards; empty: it is gone."""
    rows_before: int
    rows_after: int

    @property
    def is_same(self) -> bool:
        """Say whether it kept its name and its number of rows."""
        return self.before == self.after and self.rows_before == self.rows_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What the copy was before, or is after."""

    versions: tuple[tuple[str, str], ...]
    """Schema and version."""
    size: int
    wal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that a rehearsal found out."""

    source: str
    left_out: tuple[str, ...]
    """What of the backup the copy lacks."""
    server_version: str
    target: str
    refusal: str
    """Why it would not succeed; empty: it would."""
    hint: str
    before: Measures
    after: Measures
    copying: float
    """Seconds to make the copy."""
    seconds: float
    """Of the upgrade itself."""
    repaired: Mapping[str, int]
    """What adopting it repaired, by kind and count."""
    adopted: bool
    """The copy had to be put under Alembic's care first."""
    steps: tuple[Step, ...]
    held: tuple[Held, ...]
    drift: tuple[Difference, ...]
    """From the version that it was at."""
    left: tuple[Difference, ...]
    """From the version that it arrived at, without what was so before."""
    same: tuple[Difference, ...]
    """Differences that were so before, and still are."""
    tables: tuple[Table, ...]
    archived: tuple[str, ...]

    @property
    def succeeds(self) -> bool:
        """Say whether the upgrade would arrive."""
        return not self.refusal

    @property
    def changed(self) -> tuple[Table, ...]:
        """The tables that did not keep name and number of rows."""
        return tuple(one for one in self.tables if not one.is_same)


SHOWN = 10


def report_lines(found: Findings) -> Iterator[str]:
    """Yield the lines for a person."""
    yield headline(found)
    if found.hint:
        yield f"  {found.hint}"
    yield f"  copied {found.source} into PostgreSQL {found.server_version} in {found.copying:.1f} s"
    yield from _some("not copied, only a superuser may restore it", list(found.left_out))
    if found.adopted:
        yield "  it had to be adopted first: run `collec-migrations adopt`"
        yield from (f"    to repair: {count} {kind}" for kind, count in found.repaired.items())
    yield from (f"  {one.version} of {one.schema}: {one.seconds:.1f} s" for one in found.steps)
    yield from (f"  {line}" for line in _locks(found))
    yield f"  space: {space_used(found)}"
    yield from _some("before, it differed", [one.sentence for one in found.drift])
    yield from _some("afterwards, it differs", [one.sentence for one in found.left])
    yield from _some("was so before, and still is", [one.sentence for one in found.same])
    yield from _some("goes to the archive", list(found.archived))
    yield from _some("tables that changed", list(changes(found)))


def headline(found: Findings) -> str:
    """Return the result in one line."""
    was = ", ".join(f"{col} is at {version}" for col, version in found.before.versions)
    if not found.succeeds:
        return f"the upgrade to {found.target} would FAIL: {found.refusal} ({was})"
    reached = ", ".join(f"{col} reaches {version}" for col, version in found.after.versions)
    return f"the upgrade would succeed in {found.seconds:.1f} s: {was}; {reached}"


def _locks(found: Findings) -> Iterator[str]:
    if not found.held:
        yield "no table was locked"
        return
    for stops_reading, what in ((True, "reading and writing"), (False, "writing")):
        held = [one for one in found.held if one.stops_reading is stops_reading]
        if held:
            yield (
                f"{what} stops for {held[0].seconds:.1f} s on {len(held)} tables, "
                f"longest {held[0].table}"
            )


def space_used(found: Findings) -> str:
    """Return how the size changed, and what was written on the way."""
    return (
        f"{sizes.shown(found.before.size)} before, {sizes.shown(found.after.size)} after, "
        f"{sizes.shown(max(0, found.after.wal - found.before.wal))} written to the log (WAL)"
    )


def changes(found: Findings) -> Iterator[str]:
    """Yield how each table changed that did."""
    for one in found.changed:
        if not one.after:
            yield f"{one.before} is gone, it had {one.rows_before} rows"
        elif one.before != one.after:
            yield f"{one.before} is now {one.after}, {one.rows_before} -> {one.rows_after} rows"
        else:
            yield f"{one.before}: {one.rows_before} -> {one.rows_after} rows"


def _some(title: str, told: list[str]) -> Iterator[str]:
    if not told:
        return
    yield f"  {title}:"
    yield from (f"    {line}" for line in told[:SHOWN])
    if len(told) > SHOWN:
        yield f"    and {len(told) - SHOWN} more"


def report_json(found: Findings) -> dict[str, Any]:
    """Return every fact."""
    return {
        **{
            name: value
            for name, value in asdict(found).items()
            if name not in ("drift", "left", "same")
        },
        "succeeds": found.succeeds,
        "before": _measures(found.before),
        "after": _measures(found.after),
        "drift": [one.sentence for one in found.drift],
        "left": [one.sentence for one in found.left],
        "same": [one.sentence for one in found.same],
        "changed": [asdict(one) for one in found.changed],
    }


def _measures(one: Measures) -> dict[str, Any]:
    return {"versions": dict(one.versions), "size": one.size, "wal": one.wal}


STYLE = """
:root { color-scheme: light dark }
@media print { body { margin: 0; max-width: none } tr, svg { break-inside: avoid } }
body { font: 16px/1.5 sans-serif; max-width: 55rem; margin: 2rem auto; padding: 0 1rem }
.yes { border-left: .5rem solid #2a7 } .no { border-left: .5rem solid #c33 }
h1 { font-size: 1.3rem; padding-left: .7rem } h2 { font-size: 1.05rem; margin-top: 1.6rem }
table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: left }
td.n { text-align: right } svg text { font: 13px sans-serif; fill: currentColor }
"""
BAR, WIDTH, LABEL = 24, 700, 150


def report_page(found: Findings) -> str:
    """Return the page."""
    kind = "yes" if found.succeeds else "no"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>Rehearsal of {escape(found.source)}</title><style>{STYLE}</style></head><body>",
        f"<h1 class='{kind}'>{escape(headline(found))}</h1>",
        f"<p>{escape(found.hint)}</p>" if found.hint else "",
        *_facts_html(found),
        *_chart(found.steps),
        *_locks_html(found),
        *_list_html("Not copied: only a superuser may restore it", found.left_out),
        *_list_html("Differences before", [one.sentence for one in found.drift]),
        *_list_html("Differences afterwards", [one.sentence for one in found.left]),
        *_list_html("Was so before, and still is", [one.sentence for one in found.same]),
        *_list_html("What goes to the archive", found.archived),
        *_rows_html(found),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _facts_html(found: Findings) -> Iterator[str]:
    facts = {
        "Date": f"{datetime.now(UTC).astimezone():%Y-%m-%d %H:%M %Z}",
        "Tool": f"collec-migrations {__version__}",
        "Source": found.source,
        "Copied into": f"PostgreSQL {found.server_version}, in {found.copying:.1f} s",
        "Adopted first": "yes" if found.adopted else "no",
        "Space": space_used(found),
    }
    yield "<table>"
    for name, value in facts.items():
        yield f"<tr><th>{name}</th><td>{escape(value)}</td></tr>"
    yield "</table>"


def _chart(steps: Sequence[Step]) -> Iterator[str]:
    """Yield a bar for each version, as long as it took."""
    if not steps:
        return
    longest = max(one.seconds for one in steps) or 1.0
    yield "<h2>Time by version</h2>"
    height = BAR * len(steps)
    yield f"<svg width='{WIDTH}' height='{height}' role='img' aria-label='Time by version'>"
    for number, one in enumerate(steps):
        top = number * BAR
        length = max(1.0, one.seconds / longest * (WIDTH - LABEL - 70))
        end = LABEL + length + 6
        yield f"<text x='0' y='{top + 16}'>{escape(one.schema)} {escape(one.version)}</text>"
        yield (f"<rect x='{LABEL}' y='{top + 4}' width='{length:.0f}' height='16' fill='#47a'/>")
        yield f"<text x='{end:.0f}' y='{top + 16}'>{one.seconds:.2f} s</text>"
    yield "</svg>"


def _locks_html(found: Findings) -> Iterator[str]:
    yield "<h2>Locks on tables that were there before</h2>"
    if not found.held:
        yield "<p>None.</p>"
        return
    yield "<table><tr><th>Table</th><th>Stops</th><th>Seconds</th></tr>"
    for one in found.held:
        what = "reading and writing" if one.stops_reading else "writing"
        yield (
            f"<tr><td>{escape(one.table)}</td><td>{what}</td>"
            f"<td class='n'>{one.seconds:.2f}</td></tr>"
        )
    yield "</table>"


def _rows_html(found: Findings) -> Iterator[str]:
    yield "<h2>Rows</h2>"
    yield "<table><tr><th>Table</th><th>Before</th><th>After</th><th></th></tr>"
    for one in found.tables:
        note = "gone" if not one.after else ("" if one.after == one.before else f"now {one.after}")
        yield (
            f"<tr><td>{escape(one.before)}</td><td class='n'>{one.rows_before}</td>"
            f"<td class='n'>{one.rows_after}</td><td>{escape(note)}</td></tr>"
        )
    yield "</table>"


def _list_html(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"<h2>{title}</h2><ul>"
        yield from (f"<li>{escape(item)}</li>" for item in items)
        yield "</ul>"
