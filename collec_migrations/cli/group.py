"""A group of commands, as every part of the command line shows it."""

from typing import Any

import typer
from typer.core import TyperGroup

from collec_migrations.cli import metavars


class Group(TyperGroup):
    """Shows what each command does in whole sentences; Typer's own cuts them at the edge."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, or None; its help names what it takes in plain words."""
        return metavars.plain(super().get_command(ctx, cmd_name))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands with the first paragraph of their help."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        shown = [(name, summary(one)) for name, one in found.items() if one and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(shown)


def summary(command: Any) -> str:
    """Return the first paragraph of a command's help, on one line."""
    return " ".join((command.help or "").partition("\n\n")[0].split())


def group(told: str) -> typer.Typer:
    """Return an empty group of commands, told by one sentence."""
    return typer.Typer(
        help=told,
        cls=Group,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
