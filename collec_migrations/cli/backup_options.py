"""Options that several commands of `backup` share."""

from pathlib import Path
from typing import Annotated

import typer
from psycopg2.extensions import parse_dsn

from collec_migrations import backup
from collec_migrations.cli import options
from collec_migrations.migrate import access

Into = Annotated[
    Path,
    typer.Option("--into", envvar="COLLEC_BACKUP_DIR", help="The folder that holds the backups."),
]
Id = Annotated[str, typer.Argument(help="A backup, the beginning of its id, or `last`.")]
BinDir = Annotated[
    Path | None, typer.Option("--bindir", help="Folder of pg_dump, when it is not found.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Dump so many tables at once.")]
Offsite = Annotated[
    str | None,
    typer.Option(
        "--offsite",
        envvar="COLLEC_BACKUP_OFFSITE",
        help="Command run afterwards; {path} and {id} are the backup's.",
    ),
]
Daily = Annotated[int, typer.Option("--keep-daily", min=0, help="Days to keep.")]
Weekly = Annotated[int, typer.Option("--keep-weekly", min=0, help="Weeks to keep.")]
Monthly = Annotated[int, typer.Option("--keep-monthly", min=0, help="Months to keep.")]
App = options.App
Database = Annotated[
    str | None, typer.Option("--database", help="`last` is the last of this database.")
]


def chosen(into: Path, id_: str, database: str | None, app: Path | None) -> backup.Backup:
    """Return the backup that is meant; `last` is the last of the database that was named."""
    return backup.find(into, id_, database=database or _named(app) if id_ == "last" else "")


def _named(app: Path | None) -> str:
    """Return the database that the application, the environment or the ini file names."""
    address = access.told(options.given(app=app)).address
    return str(parse_dsn(address.dsn).get("dbname", "")) if address else ""
