"""What is shown: JSON, tables, colours, a line for Nagios; each module turns values into text."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TextIO

import typer

from collec_migrations.errors import MigrationError

Facts = Mapping[str, Any]
"""What is printed as JSON: read by programs, not by this package."""

_ASKED = "collec_migrations.json"


def remember_json(ctx: typer.Context, wanted: bool) -> bool:
    """Keep that the user asked for JSON, so that an error is told as JSON too."""
    ctx.meta[_ASKED] = wanted
    return wanted


def is_json_asked(ctx: Any) -> bool:
    """Say whether the command of this context, or one below it, was asked for JSON."""
    return bool(ctx.meta.get(_ASKED))


PROGRAM = "collec-migrations"


def typable(text: str) -> str:
    """Return a text whose commands can be typed: by their path, where it is not on the PATH."""
    here = Path(sys.argv[0])
    if here.name != PROGRAM or not here.is_file() or shutil.which(PROGRAM):
        return text
    return re.sub(rf"(?<![\w/-]){PROGRAM}(?= )", str(here.absolute()), text)


def write_json(facts: Facts) -> None:
    """Write the result of a command: one object, indented; paths and the like as text."""
    typer.echo(json.dumps(facts, indent=1, ensure_ascii=False, default=_json_text))


def _json_text(value: object) -> str:
    """Return what JSON has no form for; one of a fixed set by its name, in small letters."""
    return value.name.lower() if isinstance(value, Enum) else str(value)


def write_json_error(error: MigrationError) -> None:
    """Write an error as the only result, with the exit status that follows."""
    facts = {"message": str(error), "hint": error.hint or None, "status": error.exit_status}
    write_json({"error": facts})


_SEVERITY = re.compile(r"^( *)(breaks|differs|cosmetic)\b", re.MULTILINE)
_STYLES: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "hint": {"fg": "cyan"},
    "breaks": {"fg": "red", "bold": True},
    "differs": {"fg": "yellow"},
    "cosmetic": {"dim": True},
}


def has_colours(stream: TextIO) -> bool:
    """Say whether a stream shows colours; NO_COLOR (no-color.org) and TERM=dumb forbid them."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def coloured(text: str, stream: TextIO) -> str:
    """Return a word in its colour, if the stream shows colours."""
    return typer.style(text, **_STYLES[text]) if has_colours(stream) else text


def coloured_severities(text: str) -> str:
    """Return lines for standard output with the severity at their beginning in its colour."""
    return _SEVERITY.sub(lambda found: found[1] + coloured(found[2], sys.stdout), text)


WIDEST = 60
"""Characters of a cell; longer texts are cut."""


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return titles and rows, each one on a line, in columns as wide as their texts."""
    from rich.cells import cell_len, set_cell_size  # 0.02 s, for tables alone

    cells = [[_cell(text) for text in row] for row in (titles, *rows)]
    widths = [max(cell_len(row[at]) for row in cells) for at in range(len(titles))]
    return tuple(
        "  ".join(set_cell_size(text, width) for text, width in zip(row, widths, strict=True))
        .rstrip()
        for row in cells
    )  # fmt: skip


def _cell(text: str) -> str:
    """Return a text on one line, without what would move the cursor of a terminal."""
    from rich.cells import cell_len, set_cell_size

    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return plain if cell_len(plain) <= WIDEST else set_cell_size(plain, WIDEST - 1) + "…"


_NAGIOS = {"ok": (0, "OK"), "attention": (1, "WARNING"), "broken": (2, "CRITICAL")}


def nagios(program: str, verdict: str, text: str, data: Iterable[str]) -> tuple[int, str]:
    """Return the exit status and the line of a Nagios plugin, with performance data."""
    status, word = _NAGIOS[verdict]
    performance = " ".join(data)
    shown = one_line(text).replace("|", "/")
    return status, f"{program} {word} - {shown}" + (f" | {performance}" if performance else "")


def one_line(text: str) -> str:
    """Return a text on one line, without what would move the cursor of a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 step`, `3 steps`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
