"""Every command of the command line, as it is declared: nothing is listed by hand."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.testing import CliRunner, Result

from collec_migrations.cli import main

PROGRAM = "collec-migrations"
WIDTH = {"COLUMNS": "80", "TERMINAL_WIDTH": "80"}


def every() -> dict[tuple[str, ...], Any]:
    """Return each command and group by its words; the program itself by none."""
    return dict(_below((), typer.main.get_command(main.app)))


def leaves() -> dict[tuple[str, ...], Any]:
    """Return the commands that do something: those that are no group."""
    return {words: one for words, one in every().items() if not hasattr(one, "list_commands")}


def help_of(words: tuple[str, ...]) -> str:
    """Return what `--help` shows on 80 columns."""
    return invoke(*words, "--help").output


def invoke(*words: str, **variables: str) -> Result:
    """Run a command in this process."""
    runner = CliRunner()
    return runner.invoke(main.app, words, prog_name=PROGRAM, env={**WIDTH, **variables})


def _below(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield words, command
    if not hasattr(command, "list_commands"):
        return
    context = typer.Context(command)
    for name in command.list_commands(context):
        yield from _below((*words, name), command.get_command(context, name))
