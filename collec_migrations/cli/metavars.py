"""Plain words for what an option takes: Typer writes the types of Python, such as <list[str]>."""

import re
from typing import Any, TypeVar

Told = TypeVar("Told")

WORDS = {"str": "TEXT", "path": "PATH", "Path": "PATH", "int": "NUMBER", "float": "NUMBER"}
TYPE = re.compile(r"<(?:list\[)?(\w+)\]?(?: range)?>")


def plain(command: Told) -> Told:
    """Let the help of a command name what its options take in plain words; return the command.

    The name of an argument is a word already. Choices stay as they are; so does everything under
    an older Typer, which writes words itself.
    """
    for parameter in getattr(command, "params", ()):
        if not hasattr(parameter, "display_type") or parameter.type_descriptor.is_choice:
            continue
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = _nothing
        elif parameter.metavar is None and not parameter.is_flag:
            found = TYPE.fullmatch(parameter.display_type(None))
            parameter.metavar = WORDS.get(found[1]) if found else None
    return command


def _nothing(ctx: Any) -> str:  # noqa: ARG001
    return ""
