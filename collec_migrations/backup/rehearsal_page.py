"""Write what a rehearsal found out as one HTML page that needs nothing else. Pure."""

from collections.abc import Iterator, Sequence
from html import escape

from collec_migrations.backup import rehearsal_text
from collec_migrations.backup.rehearsal_result import Findings, Step

STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 55rem; margin: 2rem auto; padding: 0 1rem }
.yes { border-left: .5rem solid #2a7 } .no { border-left: .5rem solid #c33 }
h1 { font-size: 1.3rem; padding-left: .7rem } h2 { font-size: 1.05rem; margin-top: 1.6rem }
table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: left }
td.n { text-align: right } svg text { font: 13px sans-serif }
"""
BAR, WIDTH, LABEL = 24, 700, 150


def page(found: Findings) -> str:
    """Return the page."""
    kind = "yes" if found.succeeds else "no"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>Rehearsal of {escape(found.source)}</title><style>{STYLE}</style></head><body>",
        f"<h1 class='{kind}'>{escape(rehearsal_text.headline(found))}</h1>",
        f"<p>{escape(found.hint)}</p>" if found.hint else "",
        *_facts(found),
        *_chart(found.steps),
        *_locks(found),
        *_list("Differences before", [one.sentence for one in found.drift]),
        *_list("Differences afterwards", [one.sentence for one in found.left]),
        *_list("What goes to the archive", found.archived),
        *_rows(found),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _facts(found: Findings) -> Iterator[str]:
    facts = {
        "Source": found.source,
        "Copied into": f"PostgreSQL {found.server_version}, in {found.copying:.1f} s",
        "Adopted first": "yes" if found.adopted else "no",
        "Space": rehearsal_text.space_used(found),
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


def _locks(found: Findings) -> Iterator[str]:
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


def _rows(found: Findings) -> Iterator[str]:
    yield "<h2>Rows</h2>"
    yield "<table><tr><th>Table</th><th>Before</th><th>After</th><th></th></tr>"
    for one in found.tables:
        note = "gone" if not one.after else ("" if one.after == one.before else f"now {one.after}")
        yield (
            f"<tr><td>{escape(one.before)}</td><td class='n'>{one.rows_before}</td>"
            f"<td class='n'>{one.rows_after}</td><td>{escape(note)}</td></tr>"
        )
    yield "</table>"


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"<h2>{title}</h2><ul>"
        yield from (f"<li>{escape(item)}</li>" for item in items)
        yield "</ul>"
