"""`collec-migrations install`: from nothing to a working installation, again and again."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations.cli import facts, options
from collec_migrations.errors import UsageError

DIFFERS = 1
"""Exit status: everything is there, but something of it in another shape."""


def install(
    database: Annotated[str, typer.Option("--database", help="The database.")] = "collec",
    owner: Annotated[
        str, typer.Option("--owner", help="The login role of the application, which owns it.")
    ] = "collec",
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    local_only: Annotated[
        bool, typer.Option("--local-only", help="The account comes from this machine alone.")
    ] = False,
    address: Annotated[
        list[str] | None,
        typer.Option("--address", help="A network from which it may come too; can be repeated."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would happen; touch nothing.")
    ] = False,
    apply_hba: Annotated[
        bool, typer.Option("--apply-hba", help="Write the access rules, and prove them.")
    ] = False,
    passfile: Annotated[
        Path | None, typer.Option("--passfile", help="Keep the password in this file (0600).")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Make role, database, schemas and access rules; keep what is there.

    Exit status: 1 when a resource is there in another shape.
    """
    if local_only and address:
        raise UsageError("--local-only and --address contradict each other")
    # Alembic and SQLAlchemy take 0.45 s to import: other commands do not pay for them.
    from collec_migrations import install as room
    from collec_migrations.cli import install_text
    from collec_migrations.migrate import access
    from collec_migrations.postgres import administrator

    given = options.given(url=url, gacl=gacl, col=col)
    told = access.told(given)
    desired = room.Desired(
        database=room.check_name("database", database),
        owner=room.check_name("role", owner),
        pairs=told.pairs,
        networks=room.networks(address or ()),
        passfile=passfile,
        apply_hba=apply_hba,
    )
    admin = administrator.of(told.address)
    ask = getpass.getpass if sys.stdin.isatty() and sys.stderr.isatty() else None
    if plan:
        found = room.plan(admin, desired, given, say=options.say)
        _show(install_text.facts(found), install_text.lines(found), as_json=as_json)
    else:
        with room.locked(admin, say=options.say):
            found = room.plan(admin, desired, given, say=options.say)
            done = room.install(admin, found, given, say=options.say, ask=ask)
        _show(install_text.done_facts(done), install_text.done_lines(done), as_json=as_json)
    if found.differs:
        raise typer.Exit(DIFFERS)


def _show(told: facts.Facts, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        facts.write(told)
        return
    for line in lines:
        typer.echo(line)
