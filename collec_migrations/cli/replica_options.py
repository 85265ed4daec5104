"""Options that several commands of `replica` share."""

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations import replica
from collec_migrations.cli import options, render
from collec_migrations.errors import UsageError
from collec_migrations.replica import PATIENCE, NamedNode

Nodes = Annotated[
    list[str] | None,
    typer.Option("--node", help="NAME=ADDRESS of one server; repeat it. No password in it."),
]
File = Annotated[
    Path | None,
    typer.Option(
        "--nodes",
        envvar=replica.VARIABLE,
        help=f"File that names the servers (else {replica.FILE}).",
    ),
]
Patience = Annotated[
    float, typer.Option("--timeout", min=1, help="Seconds to wait for an answer of a server.")
]
Data = Annotated[Path, typer.Option("--data", help="The data folder on this machine.")]
Name = Annotated[
    str | None, typer.Option("--name", help="What this node is called (else the machine's name).")
]
Passfile = Annotated[
    Path | None,
    typer.Option("--passfile", help="Password file; else ~/.pgpass of the server's account."),
]
BinDir = Annotated[Path | None, typer.Option("--bindir", help="Folder of pg_rewind and postgres.")]
Wait = Annotated[float, typer.Option("--wait", min=1, help="Seconds until it streams.")]
DEFAULT_PATIENCE = PATIENCE


def own_name(name: str | None, known: Sequence[NamedNode]) -> str:
    """Return the name of this machine's node; raise UsageError when it is not among the nodes."""
    chosen = name or socket.gethostname().partition(".")[0]
    if name is None and all(one.name != chosen for one in known):
        raise UsageError(
            f"which of the nodes this machine is, is not clear: none is called {chosen!r}",
            hint=f"Say it with --name: {', '.join(one.name for one in known)}.",
        )
    return replica.node_named(known, chosen).name


def agree(lines: Sequence[str], *, plan: bool, yes: bool, as_json: bool) -> None:
    """Show a plan, and go on only when that is wanted.

    With `as_json` standard output is for the result alone.
    """
    if plan and as_json:
        render.write_json({"plan": list(lines)})
    else:
        for line in lines:
            typer.echo(line, err=yes or as_json)
    if plan:
        raise typer.Exit
    options.ask_consent("Do it?", yes=yes)
