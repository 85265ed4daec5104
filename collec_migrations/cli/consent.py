"""The one question of all commands that change something."""

import sys

import typer

from collec_migrations.cli import options
from collec_migrations.errors import UsageError


def can_ask() -> bool:
    """Tell whether there is a terminal to ask on."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def need(*, plan: bool, yes: bool) -> None:
    """Refuse, before anything is done, where a question would have nobody to answer it."""
    if plan and yes:
        raise UsageError("--plan and --yes cannot be given together")
    if not (plan or yes or can_ask()):
        raise UsageError(
            "there is no terminal to ask on",
            hint="Add --yes to do it without a question, or --plan to see what would happen.",
        )


def ask(question: str, *, yes: bool) -> None:
    """Go on only when the user wants it: exit status 1 otherwise."""
    need(plan=False, yes=yes)
    if not yes and not typer.confirm(question, err=True):
        options.say("nothing was changed")
        raise typer.Exit(1)
