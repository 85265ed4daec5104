"""Every command of the command line, as it is declared: nothing is listed by hand."""

from collections.abc import Iterator, Sequence
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


def options_of(command: Any) -> set[str]:
    """Return the spellings of a command's options."""
    return {name for one in command.params if one.param_type_name == "option" for name in one.opts}


def all_options() -> set[str]:
    """Return the spellings of all options, each once; the one count of them."""
    return {name for one in leaves().values() for name in options_of(one) if name.startswith("--")}


def mistake(words: Sequence[str]) -> str:
    """Return what is wrong with a command that a text says to type; nothing: it can be typed.

    Words in capitals stand for what the reader puts in.
    """
    known = leaves()
    leaf = next((tuple(words[:n]) for n in (2, 1) if tuple(words[:n]) in known), None)
    if leaf is None:
        return "" if set(words) <= {"--help", "--version"} else f"no command {' '.join(words)}"
    rest = words[len(leaf) :]
    unknown = {word for word in rest if word.startswith("--")} - options_of(known[leaf])
    choices = {
        str(word)
        for one in known[leaf].params
        if one.param_type_name == "argument" and one.type_descriptor.is_choice
        for word in one.type_descriptor.annotation
    }
    if choices and not (rest and rest[0] in choices):
        return f"{leaf[0]} takes {choices}"
    return f"{' '.join(leaf)} has no {unknown}" if unknown else ""


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
