"""`collec-migrations install`: make what a database needs, and tell what was made."""

import getpass
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import install as room
from collec_migrations.cli import options, render
from collec_migrations.install import Done, Plan, Resource

DIFFERS = 1
"""Exit status: everything is there, but something of it in another shape."""


def install(
    database: options.Database = None,
    owner: Annotated[
        str | None,
        typer.Option("--owner", help="The application's login role, which owns it; else collec."),
    ] = None,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    without_postgis: options.WithoutPostgis = False,
    networks: Annotated[
        list[str] | None,
        typer.Option("--address", help="A network from which it may come too; can be repeated."),
    ] = None,
    no_hba: Annotated[
        bool, typer.Option("--no-hba", help="Show the access rules; do not write them.")
    ] = False,
    plan: options.Plan = False,
    yes: options.Yes = False,
    passfile: Annotated[
        Path | None, typer.Option("--passfile", help="Keep the password in this file (0600).")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Make role, database, schemas and access rules; keep what is there.

    Exit status: 1 when a resource is there in another shape.
    """
    options.need_consent(plan=plan, yes=yes)
    # Alembic and SQLAlchemy take 0.45 s to import: other commands do not pay for them.
    from collec_migrations import install as room
    from collec_migrations.cli import place
    from collec_migrations.migrate import access
    from collec_migrations.settings import quoted_list

    said = options.installation(app)
    found = access.read_settings(options.given(url=url, gacl=gacl, col=col, app=app))
    given = options.given(
        gacl=found.pairs[0].gacl, col=quoted_list(found.pairs), without_postgis=without_postgis
    )
    login, name = (said.login, said.connection.get("dbname")) if said else ("", "")
    desired = room.Desired(
        database=room.check_name("database", database or name or "collec"),
        owner=room.check_name("role", login or "collec" if owner is None else owner),
        pairs=found.pairs,
        networks=room.networks(networks or ()),
        passfile=passfile,
        apply_hba=not no_hba,
    )
    admin = place.administrator(found, url)
    ask = getpass.getpass if sys.stdin.isatty() and sys.stderr.isatty() else None
    if plan:
        planned = room.plan(admin, desired, given, say=options.say)
        _show(_plan_facts(planned), _plan_lines(planned), as_json=as_json)
    else:
        if not yes:
            shown = room.plan(admin, desired, given, say=options.say)
            options.say("\n".join(_plan_lines(shown)))
            options.ask_consent("Install this?", yes=False)
        with room.locked(admin, say=options.say):
            planned = room.plan(admin, desired, given, say=options.say)
            done = room.install(admin, planned, given, say=options.say, ask=ask)
        _show(_done_facts(done), _done_lines(done), as_json=as_json)
        options.say(
            f"next: collec-migrations app-config --url postgresql:///{desired.database}"
            "   prints the lines for the application"
        )
    if planned.differs:
        raise typer.Exit(DIFFERS)


def _show(facts: render.Facts, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        render.write_json(facts)
        return
    for line in lines:
        typer.echo(line)


CREATED = "created"


def _plan_lines(plan: Plan) -> list[str]:
    """Return the page of a plan."""
    return [
        _heading(plan),
        *_resources(plan.resources, plan.resources),
        *_rules(plan),
        "",
        *_closing(plan),
    ]


def _done_lines(done: Done) -> list[str]:
    """Return the page of what was done."""
    plan = done.plan
    found = [_heading(plan), *_resources(plan.resources, room.after(done))]
    if done.rules is None:
        found += _rules(plan)
    else:
        found += ["", *(f"    {line}" for line in plan.access.block.text.splitlines())]
        found.append(
            f"\nthe access rules are in force and proved; the former file: {done.rules.copy}"
        )
    if not any(resource.state == "make" for resource in plan.resources):
        found.append("\nnothing was changed")
    return found


def _plan_facts(plan: Plan) -> dict[str, object]:
    """Return the facts of a plan."""
    desired = plan.desired
    return {
        "database": desired.database,
        "owner": desired.owner,
        "version": desired.version,
        "server_version": plan.found.server.version,
        "differs": plan.differs,
        "resources": [asdict(resource) for resource in plan.resources],
        "access_rules": {"lines": list(plan.access.block.lines)},
    }


def _done_facts(done: Done) -> dict[str, object]:
    """Return the facts of what was done: what was created has the state `created`."""
    made = [
        {**asdict(resource), "state": CREATED if resource.state == "make" else resource.state}
        for resource in done.plan.resources
    ]
    copy = str(done.rules.copy) if done.rules and done.rules.copy else None
    return {**_plan_facts(done.plan), "resources": made, "former_access_rules": copy}


def _heading(plan: Plan) -> str:
    desired, server = plan.desired, plan.found.server
    number = server.version
    shown = f"{number // 10000}.{number % 10000}" if number >= 100000 else f"{number}"
    return (
        f"database {desired.database} of {desired.owner} on PostgreSQL {shown},"
        f" as {server.role}, version {desired.version}"
    )


def _resources(planned: Sequence[Resource], now: Sequence[Resource]) -> Iterator[str]:
    for before, after in zip(planned, now, strict=True):
        word = CREATED if before.state != after.state else before.state
        detail = f": {before.detail}" if before.detail else ""
        yield f"  {word:<8} {before.kind} {before.name}{detail}"
        if after.advice:
            yield f"  {'':<8} to do: {after.advice}"


def _rules(plan: Plan) -> Iterator[str]:
    access = plan.access
    if access.resource.state == "there":
        return
    yield ""
    yield "access rules, to stand above all others in pg_hba.conf:"
    for line in access.block.text.splitlines():
        yield f"    {line}"


def _closing(plan: Plan) -> Iterator[str]:
    made = sum(resource.state == "make" for resource in plan.resources)
    if made:
        yield f"{render.count(made, 'resource')} would be created; nothing was touched"
    else:
        yield "nothing would be created"
