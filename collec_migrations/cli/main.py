"""The command `collec-migrations`: its subcommands, and how an error is shown."""

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from collec_migrations.cli import archive, server, upgrade
from collec_migrations.errors import MigrationError

DEBUG = "COLLEC_DEBUG"


class Commands(TyperGroup):
    """Shows an error of this package in two lines, and exits with its status."""

    def invoke(self, ctx: Any) -> Any:
        """Run a subcommand."""
        try:
            return super().invoke(ctx)
        except MigrationError as error:
            if os.environ.get(DEBUG):
                raise
            show(error)
            raise typer.Exit(error.exit_status) from error


def show(error: MigrationError) -> None:
    """Write an error and its hint to standard error."""
    sys.stderr.write(f"error: {error}\n")
    if error.hint:
        sys.stderr.write(f"hint: {error.hint}\n")


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Versioned, atomic and reversible migrations of Collec-Science databases.",
)
app.command("upgrade")(upgrade.upgrade)
app.add_typer(archive.app, name="archive")
app.add_typer(server.app, name="server")


@app.callback()
def start(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where an error came from (or COLLEC_DEBUG=1).")
    ] = False,
) -> None:
    """Take the options that hold for all commands."""
    if debug:
        os.environ[DEBUG] = "1"


def main() -> None:
    """Run the command line."""
    app()
