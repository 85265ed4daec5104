"""`collec-migrations adopt`: make a database exactly its version, and record it."""

from collections.abc import Iterator
from typing import Annotated

import typer

from collec_migrations import bridge, versions
from collec_migrations.bridge import Adoption, Severity, State, report
from collec_migrations.cli import options, place, render

SHOWN = 10


def adopt(
    version: Annotated[
        str | None,
        typer.Argument(
            help="The version, if it must be said.", autocompletion=options.known_versions
        ),
    ] = None,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    as_json: options.Json = False,
    plan: options.Plan = False,
    yes: options.Yes = False,
    details: options.Details = False,
) -> None:
    """Repair what differs from the version that is seen, and write it as Alembic's own version.

    All in one transaction. What belongs to no version is the site's own and stays as it is.
    Exit status: 1 when the database is no version, rows forbid a repair, or the answer is no.
    """
    options.need_consent(plan=plan, yes=yes)
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    every: list[Adoption] = []
    with place.opened(where) as session:
        pairs = place.pairs_in(session, where)
        for names in pairs:
            done = bridge.adopt(
                session,
                names,
                version,
                expected=where.expected,
                role=where.role,
                not_valid=where.not_valid,
            )
            every.append(done)
            if not as_json and not yes:
                typer.echo("\n".join(_shown(done, where, is_plan=True)))
                if details:
                    typer.echo("\n".join(f"{one};" for one in done.statements))
        if plan:
            session.rollback()
        elif not all(one.already for one in every):
            # What was shown is done, and is kept or taken back: nothing changes in between.
            options.ask_consent("Adopt it so?", yes=yes)
            session.commit()
    if not as_json and not plan:
        typer.echo("\n".join(line for one in every for line in _shown(one, where, is_plan=False)))
    if as_json:
        render.write_json({"schemas": [_facts(one) for one in every]})


def _facts(done: Adoption) -> render.Facts:
    return {
        "gacl": done.names.gacl,
        "col": done.names.col,
        "version": done.version,
        "already": done.already,
        "checked": done.checked,
        "why": list(done.why),
        "repaired": dict(done.counts),
        "statements": list(done.statements),
        "own": list(done.own),
        "left": [one.sentence for one in done.left],
    }


def _shown(done: Adoption, where: place.Place, *, is_plan: bool) -> Iterator[str]:
    was = "was adopted before" if done.already else (
        "would be adopted" if is_plan else "is adopted"
    )  # fmt: skip
    yield f"schema {done.names.col!r} {was} as version {done.version}."
    yield from (f"  {line}" for line in done.why)
    if not done.checked:
        yield "  not checked: this version is not known here"
    verb = "to repair" if is_plan else "repaired"
    yield from (f"  {verb}: {count} {kind}" for kind, count in done.counts.items())
    if done.own:
        more = f" and {len(done.own) - SHOWN} more" if len(done.own) > SHOWN else ""
        yield f"  the site's own, left as it is: {', '.join(done.own[:SHOWN])}{more}"
    for one in done.left:
        if one.severity is not Severity.COSMETIC or one.state is State.PASSWORD:
            yield f"  left: {one.sentence}"
    words, what = report.after(done.version, versions.in_chain(), where.expected)
    if is_plan and not done.already:
        words, what = f"adopt {done.version} --yes", "does it."
    next_one = report.command(words, done.names, where.options) if words else ""
    yield f"Next: {next_one}   {what}" if words else f"Next: {what}"
