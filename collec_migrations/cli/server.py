"""The commands of the embedded server: start, stop, psql."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations.cli import render
from collec_migrations.cli.group import group
from collec_migrations.cli.options import Json, say
from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import cluster, embedded, programs
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.cluster import Cluster

app = group("Manage the embedded PostgreSQL server of a folder.")
Folder = Annotated[Path, typer.Option(help="The folder whose `.collec` holds the server.")]
HERE = Path()


@app.command()
def start(folder: Folder = HERE, as_json: Json = False) -> None:
    """Start the server, after making it on first use; print its address."""
    address = embedded.ensure_running(folder, say=say)
    if as_json:
        render.write_json(_facts(embedded.find(folder), address))
    else:
        typer.echo(address.url)


@app.command()
def stop(folder: Folder = HERE, as_json: Json = False) -> None:
    """Stop the server; its data stay."""
    stopped = embedded.stop(folder)
    if as_json:
        render.write_json({"stopped": stopped})
    else:
        say("stopped" if stopped else "it was not running")


@app.command(context_settings={"ignore_unknown_options": True})
def psql(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[PSQL_OPTIONS]", help="What psql is to get.")
    ] = None,
    folder: Folder = HERE,
) -> None:
    """Open the client that comes with the server: psql."""
    found = embedded.find(folder)
    address = cluster.address(found) if found else None
    if found is None or address is None:
        raise ServerFailed(
            "no server of this folder runs", hint="Start it: collec-migrations server start"
        )
    program = str(found.binaries.program("psql"))
    os.execve(program, [program, address.dsn, *(words or ())], programs.without_secrets())


def _facts(found: Cluster | None, address: Address | None) -> dict[str, object]:
    """Return what `start --json` prints."""
    where = {"data": str(found.data), "log": str(found.log)} if found else {}
    how = {**asdict(address), "url": address.url} if address else {}
    return {"running": address is not None, **where, **how}
