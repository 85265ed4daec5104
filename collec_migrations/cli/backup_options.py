"""Options that several commands of `backup` share."""

from pathlib import Path
from typing import Annotated

import typer

Into = Annotated[
    Path,
    typer.Option("--into", envvar="COLLEC_BACKUP_DIR", help="The folder that holds the backups."),
]
Id = Annotated[str, typer.Argument(help="A backup, the beginning of its id, or `last`.")]
BinDir = Annotated[
    Path | None, typer.Option("--bindir", help="Folder of pg_dump, when it is not found.")
]
Daily = Annotated[int, typer.Option("--keep-daily", min=0, help="Days to keep.")]
Weekly = Annotated[int, typer.Option("--keep-weekly", min=0, help="Weeks to keep.")]
Monthly = Annotated[int, typer.Option("--keep-monthly", min=0, help="Months to keep.")]
