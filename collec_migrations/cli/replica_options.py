"""Options that several commands of `replica` share."""

from pathlib import Path
from typing import Annotated

import typer

from collec_migrations.replication import nodes
from collec_migrations.replication.node import PATIENCE

Nodes = Annotated[
    list[str] | None,
    typer.Option("--node", help="NAME=ADDRESS of one server; repeat it. No password in it."),
]
File = Annotated[
    Path | None,
    typer.Option(
        "--nodes", envvar=nodes.VARIABLE, help=f"File that names the servers (else {nodes.FILE})."
    ),
]
Patience = Annotated[
    float, typer.Option("--timeout", min=1, help="Seconds to wait for an answer of a server.")
]
DEFAULT_PATIENCE = PATIENCE
