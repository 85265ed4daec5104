"""The commands of the embedded server: start, stop, status, url."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations.server import cluster, embedded
from collec_migrations.server.address import Address
from collec_migrations.server.cluster import Cluster

app = typer.Typer(help="Manage the embedded PostgreSQL server of a folder.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option(help="The folder whose `.collec` holds the server.")]
Json = Annotated[bool, typer.Option("--json", help="Give the facts as JSON.")]
HERE = Path()


@app.command()
def start(folder: Folder = HERE) -> None:
    """Start the server, after making it on first use; print its address."""
    typer.echo(embedded.ensure_running(folder, say=_tell).url)


@app.command()
def stop(folder: Folder = HERE) -> None:
    """Stop the server; its data stay."""
    _tell("stopped" if embedded.stop(folder) else "it was not running")


@app.command()
def status(folder: Folder = HERE, as_json: Json = False) -> None:
    """Tell whether the server runs, and where; exit with 1 when it does not."""
    found = embedded.find(folder)
    address = cluster.address(found) if found else None
    if as_json:
        typer.echo(json.dumps(_facts(found, address)))
    else:
        typer.echo(f"running; reach it with: {address.psql}" if address else "not running")
    raise typer.Exit(0 if address else 1)


@app.command()
def url(folder: Folder = HERE) -> None:
    """Print the address of the running server; exit with 1 when it does not run."""
    found = embedded.find(folder)
    address = cluster.address(found) if found else None
    if address is None:
        _tell("not running; start it with: collec-migrations server start")
        raise typer.Exit(1)
    typer.echo(address.url)


def _facts(found: Cluster | None, address: Address | None) -> dict[str, object]:
    """Return what `status --json` prints."""
    where = {"data": str(found.data), "log": str(found.log)} if found else {}
    how = {**asdict(address), "url": address.url} if address else {}
    return {"running": address is not None, **where, **how}


def _tell(message: str) -> None:
    typer.echo(message, err=True)
