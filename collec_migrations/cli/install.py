"""`collec-migrations install`: from nothing to a working installation, again and again."""

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations.cli import consent, facts, options

DIFFERS = 1
"""Exit status: everything is there, but something of it in another shape."""


def install(
    database: Annotated[
        str | None, typer.Option("--database", help="The database; else collec.")
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option("--owner", help="The application's login role, which owns it; else collec."),
    ] = None,
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
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
    consent.need(plan=plan, yes=yes)
    # Alembic and SQLAlchemy take 0.45 s to import: other commands do not pay for them.
    from collec_migrations import install as room
    from collec_migrations.cli import install_text
    from collec_migrations.migrate import access
    from collec_migrations.postgres import connection, conninfo
    from collec_migrations.settings import quoted_list

    said = options.installation(app)
    told = access.told(options.given(url=url, gacl=gacl, col=col, app=app))
    given = options.given(gacl=told.pairs[0].gacl, col=quoted_list(told.pairs))
    # The application's own account may make nothing: an administrator comes in, by --url.
    where = url or os.environ.get("COLLEC_DATABASE_URL")
    address = conninfo.parse(where, source="--url") if said and where else told.address
    login, name = (said.login, said.connection.get("dbname")) if said else ("", "")
    desired = room.Desired(
        database=room.check_name("database", database or name or "collec"),
        owner=room.check_name("role", login or "collec" if owner is None else owner),
        pairs=told.pairs,
        networks=room.networks(networks or ()),
        passfile=passfile,
        apply_hba=not no_hba,
    )
    admin = connection.administrator(None if said and not where else address)
    ask = getpass.getpass if sys.stdin.isatty() and sys.stderr.isatty() else None
    if plan:
        found = room.plan(admin, desired, given, say=options.say)
        _show(install_text.facts(found), install_text.lines(found), as_json=as_json)
    else:
        if not yes:
            shown = room.plan(admin, desired, given, say=options.say)
            options.say("\n".join(install_text.lines(shown)))
            consent.ask("Install this?", yes=False)
        with room.locked(admin, say=options.say):
            found = room.plan(admin, desired, given, say=options.say)
            done = room.install(admin, found, given, say=options.say, ask=ask)
        _show(install_text.done_facts(done), install_text.done_lines(done), as_json=as_json)
        options.say(
            f"next: collec-migrations app-config --url postgresql:///{desired.database}"
            "   prints the lines for the application"
        )
    if found.differs:
        raise typer.Exit(DIFFERS)


def _show(told: facts.Facts, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        facts.write(told)
        return
    for line in lines:
        typer.echo(line)
