"""`collec-migrations doctor`: one page on how a site is, with what to run for each line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import replica
from collec_migrations.cli import colours, doctor_text, facts, options, place, replica_options
from collec_migrations.doctor import Site, examine
from collec_migrations.errors import MigrationError, UsageError
from collec_migrations.replica import nodes
from collec_migrations.replica.states import Verdict

STATUS = {Verdict.OK: 0, Verdict.ATTENTION: 1, Verdict.BROKEN: 3}
"""Exit statuses, as those of `replica status`; 2 is a mistake in the command."""
UNKNOWN = 3
"""Nagios: nothing can be said."""
Into = Annotated[
    Path | None,
    typer.Option("--into", envvar="COLLEC_BACKUP_DIR", help="The folder that holds the backups."),
]


def doctor(
    url: options.Url = None,
    gacl: options.Gacl = None,
    col: options.Col = None,
    app: options.App = None,
    into: Into = None,
    node_: replica_options.Nodes = None,
    file: replica_options.File = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", help="A line that is not to count; repeat it.")
    ] = None,
    as_json: options.Json = False,
    nagios: Annotated[
        bool, typer.Option("--nagios", help="One line, exit status 0, 1, 2 or 3.")
    ] = False,
) -> None:
    """Tell how a site is, in one page: 0 all is well, 1 needs attention, 3 broken."""
    if as_json and nagios:
        raise UsageError("--json and --nagios cannot be given together")
    try:
        site = _site(place.find(url=url, gacl=gacl, col=col, app=app), into, node_, file, ignore)
    except MigrationError as error:
        if not nagios:
            raise
        typer.echo(f"COLLEC UNKNOWN - {error}")
        raise typer.Exit(UNKNOWN) from error
    page = examine(site)
    if nagios:
        status, line = doctor_text.nagios(page)
        typer.echo(line)
        raise typer.Exit(status)
    if as_json:
        facts.write(doctor_text.as_json(page))
    else:
        colour = colours.are_on(sys.stdout)
        typer.echo("\n".join(doctor_text.lines(page, colour=colour)), color=colour)
    raise typer.Exit(STATUS[page.verdict])


def _site(
    where: place.Place,
    into: Path | None,
    given: list[str] | None,
    file: Path | None,
    ignore: list[str] | None,
) -> Site:
    some = given or file or nodes.FILE.exists()
    return Site(
        address=where.address,
        pairs=lambda session: place.pairs_in(session, where),
        expected=where.expected,
        role=where.role,
        options=where.options,
        backups=into,
        nodes=replica.known_nodes(given or (), file) if some else (),
        ignored=frozenset(ignore or ()),
    )
