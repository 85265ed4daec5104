"""Tell a person or a program what a rehearsal found out. Pure."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from collec_migrations.backup.rehearsal_result import Findings, Measures
from collec_migrations.postgres import sizes

SHOWN = 10


def lines(found: Findings) -> Iterator[str]:
    """Yield the lines for a person."""
    yield headline(found)
    if found.hint:
        yield f"  {found.hint}"
    yield f"  copied {found.source} into PostgreSQL {found.server_version} in {found.copying:.1f} s"
    if found.adopted:
        yield "  it had to be adopted first: run `collec-migrations adopt`"
    yield from (f"  {one.version} of {one.schema}: {one.seconds:.1f} s" for one in found.steps)
    yield from (f"  {line}" for line in _locks(found))
    yield f"  space: {space_used(found)}"
    yield from _some("before, it differed", [one.sentence for one in found.drift])
    yield from _some("afterwards, it differs", [one.sentence for one in found.left])
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


def as_json(found: Findings) -> dict[str, Any]:
    """Return every fact."""
    return {
        **{name: value for name, value in asdict(found).items() if name not in ("drift", "left")},
        "succeeds": found.succeeds,
        "before": _measures(found.before),
        "after": _measures(found.after),
        "drift": [one.sentence for one in found.drift],
        "left": [one.sentence for one in found.left],
        "changed": [asdict(one) for one in found.changed],
    }


def _measures(one: Measures) -> dict[str, Any]:
    return {"versions": dict(one.versions), "size": one.size, "wal": one.wal}
