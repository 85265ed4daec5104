"""The commands of the embedded server: start, stop, status, url."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations.cli import facts
from collec_migrations.cli.group import group
from collec_migrations.cli.options import Json, say
from collec_migrations.postgres import cluster, embedded
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
        facts.write(_facts(embedded.find(folder), address))
    else:
        typer.echo(address.url)


@app.command()
def stop(folder: Folder = HERE, as_json: Json = False) -> None:
    """Stop the server; its data stay."""
    stopped = embedded.stop(folder)
    if as_json:
        facts.write({"stopped": stopped})
    else:
        say("stopped" if stopped else "it was not running")


@app.command()
def status(folder: Folder = HERE, as_json: Json = False) -> None:
    """Tell whether the server runs, and where.

    Exit status: 1 when it does not run.
    """
    found = embedded.find(folder)
    address = cluster.address(found) if found else None
    if as_json:
        facts.write(_facts(found, address))
    else:
        typer.echo(f"running; reach it with: {address.psql}" if address else "not running")
    raise typer.Exit(0 if address else 1)


@app.command()
def url(folder: Folder = HERE, as_json: Json = False) -> None:
    """Print the address of the running server.

    Exit status: 1 when it does not run.
    """
    found = embedded.find(folder)
    address = cluster.address(found) if found else None
    if as_json:
        facts.write({"url": address.url if address else None})
    elif address is None:
        say("not running; start it with: collec-migrations server start")
    else:
        typer.echo(address.url)
    raise typer.Exit(0 if address else 1)


def _facts(found: Cluster | None, address: Address | None) -> dict[str, object]:
    """Return what `status --json` prints."""
    where = {"data": str(found.data), "log": str(found.log)} if found else {}
    how = {**asdict(address), "url": address.url} if address else {}
    return {"running": address is not None, **where, **how}
