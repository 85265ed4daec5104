"""The options that commands share, each declared once; asking before a change."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collec_migrations import versions
from collec_migrations import versions as chain
from collec_migrations.cli import render
from collec_migrations.errors import UsageError

if TYPE_CHECKING:
    from collec_migrations.application import Installation


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


def chain_versions(incomplete: str) -> list[str]:
    """Return what a version of the chain, or head, may become, for a shell."""
    return [one for one in (*chain.in_chain(), "head") if one.startswith(incomplete)]


def known_versions(incomplete: str) -> list[str]:
    """Return what a known version may become, for a shell."""
    return [one for one in versions.VERSIONS if one.startswith(incomplete)]


Target = Annotated[
    str,
    typer.Argument(help="A version of the chain, or head.", autocompletion=chain_versions),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


Plan = Annotated[bool, typer.Option("--plan", help="Show what would happen; touch nothing.")]


def given(**options: str | Path | bool | None) -> dict[str, str]:
    """Return the options that were given, as `alembic -x` would hand them on."""
    told = {name: "yes" if value is True else value for name, value in options.items()}
    return {name: str(value) for name, value in told.items() if value not in (None, False)}


def installation(app: Path | None) -> "Installation | None":
    """Return what the application says, when `--app` or COLLEC_APP names its folder."""
    from collec_migrations import application  # not every command needs it

    folder = app_folder(app)
    return application.read(folder, os.environ) if folder else None


def app_folder(app: Path | None) -> Path | None:
    """Return the application's folder by `--app`, else by COLLEC_APP."""
    return app or (Path(os.environ["COLLEC_APP"]) if os.environ.get("COLLEC_APP") else None)


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
