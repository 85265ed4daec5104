"""The commands of standbys: each stands in a module of its own."""

import typer

from collec_migrations.cli import replica_status

app = typer.Typer(
    help="Set up, watch and use standbys.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command("status")(replica_status.status)
