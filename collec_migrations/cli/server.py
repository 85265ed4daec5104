"""The commands of the embedded server: start, stop, status, url."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations.server import cluster, embedded
from collec_migrations.server.address import Address

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
    address = _address(folder)
    if as_json:
        typer.echo(json.dumps(facts(address)))
    else:
        typer.echo(f"running: psql {address.dsn!r}" if address else "not running")
    raise typer.Exit(0 if address else 1)


@app.command()
def url(folder: Folder = HERE) -> None:
    """Print the address of the running server; exit with 1 when it does not run."""
    address = _address(folder)
    if address is None:
        _tell("not running; start it with: collec-migrations server start")
        raise typer.Exit(1)
    typer.echo(address.url)


def facts(address: Address | None) -> dict[str, object]:
    """Return what `status --json` prints."""
    if address is None:
        return {"running": False}
    return {"running": True, **asdict(address), "url": address.url}


def _address(folder: Path) -> Address | None:
    found = embedded.find(folder)
    return cluster.address(found) if found else None


def _tell(message: str) -> None:
    typer.echo(message, err=True)
