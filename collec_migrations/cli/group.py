"""Commands as Typer has them, with a plain help."""

import re
from typing import Any, TypeVar

import typer
from typer.core import TyperGroup


class Group(TyperGroup):
    """Shows what each command does in whole sentences; Typer's own cuts them at the edge."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, or None; its help names what it takes in plain words."""
        return plain_help(super().get_command(ctx, cmd_name))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands with the first paragraph of their help."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        shown = [(name, summary(one)) for name, one in found.items() if one and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(shown)


def summary(command: Any) -> str:
    """Return the first paragraph of a command's help, on one line."""
    return " ".join((command.help or "").partition("\n\n")[0].split())


def group(text: str) -> typer.Typer:
    """Return an empty group of commands, described by one sentence."""
    return typer.Typer(
        help=text,
        cls=Group,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


Command = TypeVar("Command")

WORDS = {"str": "TEXT", "path": "PATH", "Path": "PATH", "int": "NUMBER", "float": "NUMBER"}
TYPE = re.compile(r"<(?:list\[)?(\w+)\]?(?: range)?>")


def plain_help(command: Command) -> Command:
    """Let the help of a command name what its options take in plain words; return the command.

    Typer writes the types of Python, such as <list[str]>.

    The name of an argument is a word already. Choices stay as they are; so does everything under
    an older Typer, which writes words itself.
    """
    for parameter in getattr(command, "params", ()):
        if not hasattr(parameter, "display_type"):
            continue
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = _nothing
        elif (
            not parameter.type_descriptor.is_choice
            and parameter.metavar is None
            and not parameter.is_flag
        ):
            found = TYPE.fullmatch(parameter.display_type(None))
            parameter.metavar = WORDS.get(found[1]) if found else None
    return command


def taken_as_they_are(command: Any) -> Any:
    """Let a command take texts, and what was not given, without pydantic; return the command."""
    known = command.get_params

    def get_params(ctx: Any) -> Any:
        found = known(ctx)
        for parameter in found:
            if hasattr(parameter, "_runtime_param") and parameter._runtime_param is None:
                parameter._runtime_param = _Text(parameter)
        return found

    command.get_params = get_params
    return command


class _Text:
    """Takes a text, and what was not given, as it is.

    pydantic, by which Typer converts all other values, takes as long to load as all of a command.
    """

    def __init__(self, parameter: Any) -> None:
        self.parameter = parameter

    def coerce(self, value: Any, **given: Any) -> Any:
        is_multiple = self.parameter.multiple or self.parameter.nargs != 1
        if not is_multiple:
            is_text = self.parameter.type_descriptor.annotation in (str, str | None)
            if value is None or (is_text and isinstance(value, str)):
                return value
        self.parameter._runtime_param = None  # Typer makes its own
        return self.parameter.get_runtime_param().coerce(value, **given)


def _nothing(ctx: Any) -> str:  # noqa: ARG001
    return ""
