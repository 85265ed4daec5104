"""`collec-migrations adopt`: make a database exactly its version, and write that version."""

from typing import Annotated

import typer

from collec_migrations import versions
from collec_migrations.bridge import adoption, detection_text
from collec_migrations.bridge.difference import Severity, State
from collec_migrations.cli import facts, options, place
from collec_migrations.errors import UsageError
from collec_migrations.names import Names
from collec_migrations.postgres.connection import Connection

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
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be repaired, and change nothing.")
    ] = False,
    not_valid: Annotated[
        bool, typer.Option("--not-valid", help="Keep rows that point at nothing: NOT VALID keys.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write the version that is given, repairing nothing.")
    ] = False,
) -> None:
    """Repair what differs from the version that is seen, and write it as Alembic's own version.

    All in one transaction. What belongs to no version is the site's own and stays as it is.
    Exit status: 1 when the database is no version, or rows stand against a repair.
    """
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    every: list[adoption.Adoption] = []
    with place.opened(where) as session:
        for names in place.pairs_in(session, where):
            if force:
                done = _forced(session, names, version)
            else:
                done = adoption.adopt(
                    session,
                    names,
                    version,
                    expected=where.expected,
                    role=where.role,
                    not_valid=not_valid,
                )
            if plan:
                session.rollback()
            else:
                session.commit()
            every.append(done)
            if not as_json:
                typer.echo(_shown(done, where.options, plan=plan))
    if as_json:
        facts.write({"schemas": [_facts(one) for one in every]})


def _forced(session: Connection, names: Names, version: str | None) -> adoption.Adoption:
    if version is None:
        raise UsageError("--force needs a version", hint="Say which: adopt VERSION --force.")
    return adoption.adopt_forced(session, names, version)


def _facts(done: adoption.Adoption) -> facts.Facts:
    return {
        "gacl": done.names.gacl,
        "col": done.names.col,
        "version": done.version,
        "already": done.already,
        "forced": done.forced or None,
        "why": list(done.why),
        "repaired": dict(done.counts),
        "statements": list(done.statements),
        "own": list(done.own),
        "left": [one.sentence for one in done.left],
    }


def _shown(done: adoption.Adoption, repeated: str, *, plan: bool) -> str:
    was = "would be adopted" if plan else "was adopted before" if done.already else "is adopted"
    lines = [f"schema {done.names.col!r} {was} as version {done.version}."]
    lines += [f"  {line}" for line in done.why]
    verb = "to repair" if plan else "repaired"
    lines += [f"  {verb}: {count} {kind}" for kind, count in done.counts.items()]
    if done.own:
        more = f" and {len(done.own) - SHOWN} more" if len(done.own) > SHOWN else ""
        lines.append(f"  the site's own, left as it is: {', '.join(done.own[:SHOWN])}{more}")
    lines += [f"  left: {one.sentence}" for one in done.left
              if one.severity is not Severity.COSMETIC or one.state is State.PASSWORD]  # fmt: skip
    lines += [f"  {done.forced}"] if done.forced else []
    known = versions.in_chain()
    if plan:
        lines.append(f"Next: {detection_text.command('adopt', done.names, repeated)}")
    elif known and done.version in known and done.version != known[-1]:
        lines.append(f"Next: {detection_text.command('upgrade', done.names, repeated)}")
    return "\n".join(lines)
