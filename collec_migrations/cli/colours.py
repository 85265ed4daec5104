"""Colours: on a terminal only, and only beside words that say the same."""

import os
import re
import sys
from typing import Any, TextIO

import typer

_SEVERITY = re.compile(r"^( *)(breaks|differs|cosmetic)\b", re.MULTILINE)
_STYLES: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "hint": {"fg": "cyan"},
    "breaks": {"fg": "red", "bold": True},
    "differs": {"fg": "yellow"},
    "cosmetic": {"dim": True},
}


def are_on(stream: TextIO) -> bool:
    """Say whether a stream shows colours; NO_COLOR (no-color.org) and TERM=dumb forbid them."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def word(text: str, stream: TextIO) -> str:
    """Return a word in its colour, if the stream shows colours."""
    return typer.style(text, **_STYLES[text]) if are_on(stream) else text


def severities(text: str) -> str:
    """Return lines for standard output with the severity at their beginning in its colour."""
    return _SEVERITY.sub(lambda found: found[1] + word(found[2], sys.stdout), text)
