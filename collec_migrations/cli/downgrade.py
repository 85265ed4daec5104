"""`collec-migrations downgrade`: show what goes to the archive, ask, go back."""

import time
from collections.abc import Mapping
from typing import Annotated, NamedTuple

import typer
from psycopg2 import extensions

from collec_migrations import versions
from collec_migrations.bridge import history
from collec_migrations.cli import options, place, render
from collec_migrations.errors import DowngradeRefused, NotAdopted, Problem, UnknownVersion
from collec_migrations.migrate import access, removed
from collec_migrations.migrate.removed import Archived
from collec_migrations.names import Names
from collec_migrations.postgres.connection import Connection


class Back(NamedTuple):
    """What going back does to one data schema."""

    names: Names
    at: str
    target: str
    steps: tuple[str, ...]
    """The versions that are left, newest first."""
    archived: tuple[Archived, ...]
    """Tables and columns that the lower version does not have, where they hold something."""
    problems: tuple[Problem, ...]
    """What the site has of its own that refers to them."""


def downgrade(
    version: Annotated[
        str,
        typer.Argument(
            help="A version of the chain, or base.", autocompletion=options.chain_versions
        ),
    ],
    plan: options.Plan = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    drop_dependents: options.DropDependents = False,
) -> None:
    """Take the database back to a version, all or nothing; what it lacks is archived.

    Exit status: 1 when the question is answered with no.
    """
    options.need_consent(plan=plan, yes=yes)
    known = versions.in_chain()
    if version not in (*known, "base"):
        raise UnknownVersion(
            f"{version!r} is not a version of the database",
            hint=f"Versions are {', '.join(known)}; also base.",
        )
    where = place.find(url=url, gacl=gacl, col=col, app=app)
    allowed = (
        drop_dependents or access.read_settings(options.given(url=url, app=app)).drop_dependents
    )
    with place.opened(where) as session:
        session.set_session(readonly=True)
        found = [
            _back(session, one, version, allowed=allowed) for one in place.pairs_in(session, where)
        ]
    problems = [item for one in found for item in one.problems if item.certain]
    if not as_json:
        for one in found:
            _tell(one)
        if plan and problems:
            options.say("\n".join(f"blocked by: {item.message}" for item in problems))
            options.say(f"  {problems[0].hint}")
    if plan:
        if as_json:
            render.write_json({"schemas": [_facts(one) for one in found]})
        return
    if problems:
        lines = "".join(f"\n    {item.message}" for item in problems)
        raise DowngradeRefused(
            f"the downgrade cannot be done, nothing was touched:{lines}", hint=problems[0].hint
        )
    if any(one.steps for one in found):
        options.ask_consent("Go back now?", yes=yes)
    # Alembic and SQLAlchemy take 0.45 s to import: other commands do not pay for them.
    from collec_migrations.migrate import verbs

    started = time.monotonic()
    given = {
        **options.given(url=url, app=app, drop_dependents=drop_dependents),
        **_names([one.names for one in found]),
    }
    verbs.downgrade(given, version, say=options.say)
    seconds = time.monotonic() - started
    if as_json:
        render.write_json({"schemas": [_facts(one) for one in found], "seconds": round(seconds, 3)})
        return
    for one in found:
        if one.steps:
            typer.echo(f"{one.names.col}: back from {one.at} to {version} in {seconds:.1f} s")


def _names(pairs: list[Names]) -> Mapping[str, str]:
    quoted = (one.col.replace('"', '""') for one in pairs)
    return {"gacl": pairs[0].gacl, "col": ",".join(f'"{name}"' for name in quoted)}


def _back(session: Connection, names: Names, version: str, *, allowed: bool) -> Back:
    with session.cursor() as cursor:
        at = history.state(cursor, names).recorded
    known = versions.in_chain()
    if at is None:
        raise NotAdopted(
            f"schema {names.col!r} has no version that Alembic knows",
            hint="See `collec-migrations detect`, then `collec-migrations adopt`.",
        )
    place_of = known.index(at) if at in known else -1
    target = known.index(version) if version != "base" else -1
    if place_of < target:
        raise DowngradeRefused(
            f"schema {names.col!r} is at {at}, below {version}",
            hint=f"To go up: collec-migrations upgrade {version}",
        )
    steps = tuple(reversed(known[target + 1 : place_of + 1]))
    if not steps or at not in versions.BUILT_IN:
        return Back(names, at, version, steps, (), ())
    reached = None if version == "base" else version
    moves = [removed.Move(role, at, reached) for role in ("gacl", "col")]
    with session.cursor(cursor_factory=extensions.cursor) as cursor:
        counted = removed.counted(cursor, names, moves) if reached else ()
        found = removed.find(cursor, names, moves)
        return Back(
            names,
            at,
            version,
            steps,
            tuple(one for one in counted if one.rows),
            tuple(one.problem(allowed=allowed) for one in found),
        )


def _tell(one: Back) -> None:
    if not one.steps:
        options.say(f"{one.names.col}: nothing to do, it is at {one.at}")
        return
    options.say(
        f"{one.names.col} (rights in {one.names.gacl}) will go back from {one.at} to {one.target}:"
        f" {render.count(len(one.steps), 'step')}, in one transaction"
    )
    if one.archived:
        options.say("goes to the archive, from where an upgrade brings it back:")
    for item in one.archived:
        what, unit = (
            (f"{item.table}.{item.column}", "values") if item.column else (item.table, "rows")
        )
        options.say(f"  {what}: {item.rows:,} {unit}")
    for problem in one.problems:
        if not problem.certain:
            options.say(f"{problem.message}. {problem.hint}")


def _facts(one: Back) -> render.Facts:
    return {
        "gacl": one.names.gacl,
        "col": one.names.col,
        "from": one.at,
        "to": one.target,
        "steps": list(one.steps),
        "archived": [item._asdict() for item in one.archived],
        "problems": [
            {"message": problem.message, "hint": problem.hint} for problem in one.problems
        ],
    }
