"""What `--json` writes: one object on standard output, whatever happens."""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

import typer

from collec_migrations.errors import MigrationError

Facts = Mapping[str, Any]
"""What is printed as JSON: read by programs, not by this package."""

_ASKED = "collec_migrations.json"


def remember(ctx: typer.Context, wanted: bool) -> bool:
    """Keep that the user asked for JSON, so that an error is told as JSON too."""
    ctx.meta[_ASKED] = wanted
    return wanted


def were_asked(ctx: Any) -> bool:
    """Say whether the command of this context, or one below it, was asked for JSON."""
    return bool(ctx.meta.get(_ASKED))


def write(facts: Facts) -> None:
    """Write the result of a command: one object, indented; paths and the like as text."""
    typer.echo(json.dumps(facts, indent=1, ensure_ascii=False, default=_text))


def _text(value: object) -> str:
    """Return what JSON has no form for; one of a fixed set by its name, in small letters."""
    return value.name.lower() if isinstance(value, Enum) else str(value)


def write_error(error: MigrationError) -> None:
    """Write an error as the only result, with the exit status that follows."""
    told = {"message": str(error), "hint": error.hint or None, "status": error.exit_status}
    write({"error": told})
