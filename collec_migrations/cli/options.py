"""The options of all commands, each declared once; asking before a change."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collec_migrations import versions
from collec_migrations.cli import render
from collec_migrations.errors import UsageError

if TYPE_CHECKING:
    from collec_migrations.application import Installation


def chain_versions(incomplete: str) -> list[str]:
    """Return what a version of the chain, or head, may become, for a shell."""
    return [one for one in (*versions.in_chain(), "head") if one.startswith(incomplete)]


def known_versions(incomplete: str) -> list[str]:
    """Return what a known version may become, for a shell."""
    return [one for one in versions.VERSIONS if one.startswith(incomplete)]


# Where the database is, and how a command goes on.
Url = Annotated[
    str | None, typer.Option("--url", help="Address of the database (else COLLEC_DATABASE_URL).")
]
Gacl = Annotated[str | None, typer.Option("--gacl", help="Name of the rights schema.")]
Col = Annotated[str | None, typer.Option("--col", help="Name of the data schema; several: a,b,c.")]
App = Annotated[
    Path | None,
    typer.Option("--app", help="Folder of the application: its database (else COLLEC_APP)."),
]
Json = Annotated[
    bool,
    typer.Option("--json", callback=render.remember_json, help="Write the same facts as JSON."),
]
Plan = Annotated[bool, typer.Option("--plan", help="Show what would happen; touch nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
Details = Annotated[
    bool, typer.Option("--details", help="Add to the plan what it is made of, in full.")
]
WithoutPostgis = Annotated[
    bool, typer.Option("--without-postgis", help="Live without PostGIS, and without object.geom.")
]
DropDependents = Annotated[
    bool,
    typer.Option(
        "--drop-dependents",
        help="Drop the site's own views, keys ... on what goes; keep their definitions.",
    ),
]
Target = Annotated[
    str,
    typer.Argument(help="A version of the chain, or head.", autocompletion=chain_versions),
]
Database = Annotated[str | None, typer.Option("--database", help="The database.")]
Nagios = Annotated[bool, typer.Option("--nagios", help="One line, exit status 0, 1, 2 or 3.")]
Report = Annotated[
    Path | None, typer.Option("--report", help="Write a report to this file as well.")
]

BinDir = Annotated[
    Path | None, typer.Option("--bindir", help="Folder of PostgreSQL's programs, if not found.")
]

# Backups.
SCRATCH = "COLLEC_SCRATCH"
BACKUPS = "COLLEC_BACKUP_DIR"
_INTO = typer.Option("--into", envvar=BACKUPS, help="The folder that holds the backups.")
Into = Annotated[Path, _INTO]
IntoIfAny = Annotated[Path | None, _INTO]
Backup = Annotated[str, typer.Argument(metavar="ID", help="A backup, the beginning of its id, "
                                       "or `last`.")]  # fmt: skip
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Dump so many tables at once.")]
Keep = Annotated[str, typer.Option("--keep", help="Days, weeks and months to keep: 7,5,12.")]
Offsite = Annotated[
    str | None,
    typer.Option(
        "--offsite",
        envvar="COLLEC_BACKUP_OFFSITE",
        help="Command run afterwards; {path} and {id} are the backup's.",
    ),
]

# Standbys.
NODES = "COLLEC_NODES"
Nodes = Annotated[
    list[str] | None,
    typer.Option(
        "--node",
        help=f"NAME=ADDRESS of one server, without a password; repeat it (else the file {NODES}).",
    ),
]
Data = Annotated[Path, typer.Option("--data", help="The data folder on this machine.")]
Name = Annotated[
    str | None, typer.Option("--name", help="What this node is called (else the machine's name).")
]
Passfile = Annotated[
    Path | None,
    typer.Option("--passfile", help="Password file; else ~/.pgpass of the server's account."),
]


def given(**options: str | Path | bool | None) -> dict[str, str]:
    """Return the options that were given, as `alembic -x` would hand them on."""
    values = {name: "yes" if value is True else value for name, value in options.items()}
    return {name: str(value) for name, value in values.items() if value not in (None, False)}


def installation(app: Path | None) -> "Installation | None":
    """Return what the application says, when `--app` or COLLEC_APP names its folder."""
    from collec_migrations import application  # not every command needs it

    folder = app_folder(app)
    return application.read(folder, os.environ) if folder else None


def app_folder(app: Path | None) -> Path | None:
    """Return the application's folder by `--app`, else by COLLEC_APP."""
    return app or folder_in("COLLEC_APP")


def folder_in(variable: str) -> Path | None:
    """Return the folder that a variable names, if it names one."""
    return Path(os.environ[variable]) if os.environ.get(variable) else None


def say(message: str) -> None:
    """Tell the user something beside the results, on standard error."""
    typer.echo(message, err=True)


def can_ask() -> bool:
    """Tell whether there is a terminal to ask on."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def need_consent(*, plan: bool, yes: bool) -> None:
    """Refuse, before anything is done, where a question would have nobody to answer it."""
    if plan and yes:
        raise UsageError("--plan and --yes cannot be given together")
    if not (plan or yes or can_ask()):
        raise UsageError(
            "there is no terminal to ask on",
            hint="Add --yes to do it without a question, or --plan to see what would happen.",
        )


def ask_consent(question: str, *, yes: bool) -> None:
    """Go on only when the user wants it: exit status 1 otherwise."""
    need_consent(plan=False, yes=yes)
    if not yes and not typer.confirm(question, err=True):
        say("nothing was changed")
        raise typer.Exit(1)
