"""`collec-migrations server start|stop|psql`: the embedded server of this folder."""

import os
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from collec_migrations.cli import options, render
from collec_migrations.errors import ServerFailed, UsageError
from collec_migrations.postgres import cluster, embedded, programs

HERE = Path()


class Action(StrEnum):
    """What is to be done with the server."""

    START = "start"
    STOP = "stop"
    PSQL = "psql"


def server(
    action: Annotated[
        Action,
        typer.Argument(
            metavar="start|stop|psql",
            help="Start it and print its address; stop it; open its client.",
        ),
    ],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="PSQL_OPTIONS", help="What psql is to get.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Start or stop the embedded PostgreSQL server of this folder; open psql.

    It is made on first use; its data are in `.collec`, and stay there when it is stopped.
    """
    if action is Action.PSQL:
        _open_client(words or ())
    if words:
        raise UsageError(f"`server {action}` takes nothing more", hint=f"Leave out {words[0]}.")
    if action is Action.STOP:
        stopped = embedded.stop(HERE)
        if as_json:
            render.write_json({"stopped": stopped})
        else:
            options.say("stopped" if stopped else "it was not running")
        return
    address = embedded.ensure_running(HERE, say=options.say)
    found = embedded.find(HERE)
    if as_json:
        where = {"data": found.data, "log": found.log} if found else {}
        render.write_json({"running": True, **where, **asdict(address), "url": address.url})
    else:
        typer.echo(address.url)


def _open_client(words: "list[str] | tuple[str, ...]") -> None:
    """Become psql."""
    found = embedded.find(HERE)
    address = cluster.address(found) if found else None
    if found is None or address is None:
        raise ServerFailed(
            "no server of this folder runs", hint="Start it: collec-migrations server start"
        )
    program = str(found.binaries.program("psql"))
    os.execve(program, [program, address.dsn, *words], programs.without_secrets())
