"""The command `collec-migrations`: finds a subcommand when it is called, and shows its errors."""

import errno
import os
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import Annotated, Any

import typer

from collec_migrations import __version__
from collec_migrations.cli import group, render, synonyms
from collec_migrations.cli.group import Group
from collec_migrations.errors import MigrationError, UsageError
from collec_migrations.postgres import signals

DEBUG = "COLLEC_DEBUG"
PROGRAM = "collec-migrations"
MISTAKE: type[Exception] = typer.BadParameter.__mro__[1]
"""What is raised for a command line that cannot be parsed; Typer does not export the class."""

SECTIONS = {
    "Where it stands": {
        "status": "Tell where this machine stands, and the next command to type.",
        "doctor": "Tell how a site is, in one page.",
    },
    "Install": {
        "install": "Make role, database, schemas and access rules; keep what is there.",
        "app-config": "Print the application's own settings for a database, ready to paste.",
    },
    "Upgrade": {
        "upgrade": "Bring the database to a version, all or nothing.",
        "history": "Show the history of each schema: one line for each version.",
        "wrap": "Wrap upgrade scripts of the application, to go on to them.",
    },
    "Go back": {
        "downgrade": "Take the database back to a version, all or nothing.",
        "archive": "List what steps removed and kept, or drop it for ever.",
    },
    "Take over an existing database": {
        "detect": "Say what version a database is, without changing anything.",
        "verify": "Compare the database with its version, and tell each difference.",
        "adopt": "Repair what differs from the version that is seen, and record it.",
    },
    "Back up and rehearse": {
        "backup": "Take, verify, restore and keep backups.",
        "rehearse": "Try an upgrade on a copy, and tell how it went.",
        "test-paths": "Try every version's path to the newest and back.",
    },
    "Servers": {
        "server": "Start or stop the embedded PostgreSQL server of this folder; open psql.",
        "replica": "Set up, watch and use standbys.",
    },
    "Learn and build": {
        "init": "Write alembic.ini into this folder.",
        "diagram": "Draw the chain, or the tables of a version, as Mermaid text.",
    },
}
"""What each command does, known without loading it: a start costs only what the command needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a shell may complete; the class that Typer uses is not in its public interface."""

    value: str
    help: str
    type: str = "plain"


FULL = (errno.ENOSPC, errno.EDQUOT)
"""What writing to a full disk fails with."""


class Commands(Group):
    """Loads a subcommand when it is asked for; shows an error of this package in two lines."""

    def __init__(self, **given: Any) -> None:
        # Typer suggests what was meant by these names; `get_command` gives the commands.
        known = {name: Group(name=name) for section in SECTIONS.values() for name in section}
        super().__init__(**{**given, "commands": known})
        group.taken_as_they_are(self)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return the commands and options that a word may become, without loading a command."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            Word(value=name, help=text)
            for section in SECTIONS.values()
            for name, text in section.items()
            if name.startswith(incomplete)
        ]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command from the module of its name, or return None."""
        if cmd_name not in self.list_commands(ctx):
            return None
        name = cmd_name.replace("-", "_")
        module = import_module(f"collec_migrations.cli.{name}")
        if hasattr(module, "app"):
            return group.taken_as_they_are(group.plain_help(typer.main.get_group(module.app)))
        alone = typer.Typer(
            add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
        )
        alone.command(cmd_name)(getattr(module, name))
        return group.taken_as_they_are(group.plain_help(typer.main.get_command(alone)))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that is meant; a word of another tool is told what does it here."""
        for words in (args[:2], args[:1]):
            if hint := synonyms.command(words, PROGRAM):
                raise UsageError(f"there is no command {' '.join(words)!r}", hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the commands by section, without loading any."""
        width = max(len(name) for section in SECTIONS.values() for name in section)
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in commands.items()])

    def invoke(self, ctx: Any) -> Any:
        """Run a subcommand; without one, `status`."""
        words = [*ctx._protected_args, *ctx.args]
        try:
            return super().invoke(ctx)
        except MISTAKE as error:
            hint = synonyms.OPTIONS.get(getattr(error, "option_name", ""), "")
            if not hint and "--json" not in words:
                raise
            return _end(UsageError(_plain(error), hint=hint), as_json="--json" in words)
        except MigrationError as error:
            if os.environ.get(DEBUG):
                raise
            error.hint = _repeating(error.hint, words) if error.hint else ""
            return _end(signals.explained(error), as_json=render.is_json_asked(ctx))
        except Exception as error:
            if os.environ.get(DEBUG) or not signals.came():
                raise
            ended = signals.explained(MigrationError(str(error).strip()))
            return _end(ended, as_json=render.is_json_asked(ctx))


def _plain(error: Any) -> str:
    """Return what the parser of the command line says, as our own messages are written."""
    text = str(error.format_message()).rstrip(".")
    return text[:1].lower() + text[1:]


_NEXT = re.compile(
    r"collec-migrations (?:adopt|detect|verify|upgrade|downgrade|status|history|doctor|rehearse"
    r"|archive (?:list|drop)|backup run)\b"
)


def _repeating(hint: str, words: Sequence[str]) -> str:
    """Return a hint whose commands are about the same database as the one that was typed."""
    from collec_migrations.postgres import conninfo

    said = dict(one.partition("=")[::2] for one in words if "=" in one)
    said |= {option: value for option, value in pairwise(words) if option in _PLACE}
    if not _NEXT.search(hint):
        return hint
    if "--url" in said:
        with suppress(MigrationError):  # it may be what the error is about
            said["--url"] = conninfo.parse(said.pop("--url"), source="--url").shown

    def repeated(found: re.Match[str]) -> str:
        rest = re.split("[`;,]|  ", hint[found.end() :])[0]
        lacking = [name for name in _PLACE if name in said and name not in rest]
        return shlex.join([*found[0].split(), *(w for name in lacking for w in (name, said[name]))])

    return _NEXT.sub(repeated, hint)


_PLACE = ("--url", "--app", "--gacl", "--col")


def _end(error: MigrationError, *, as_json: bool) -> None:
    """Show an error, and end with its status."""
    if as_json:
        render.write_json_error(error)
    show(error)
    raise typer.Exit(error.exit_status) from error


def show(error: MigrationError) -> None:
    """Write an error and its hint to standard error."""
    sys.stderr.write(f"{render.coloured('error', sys.stderr)}: {error}\n")
    if error.hint:
        sys.stderr.write(f"{render.coloured('hint', sys.stderr)}: {render.typable(error.hint)}\n")


app = typer.Typer(
    cls=Commands,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Versioned, atomic and reversible migrations of Collec-Science databases.",
)


@app.callback()
def start(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version of this program.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where an error came from (or COLLEC_DEBUG=1).")
    ] = False,
) -> None:
    """Take the options that hold for all commands."""
    if debug:
        os.environ[DEBUG] = "1"
    if version:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        ctx.invoke(import_module("collec_migrations.cli.status").status)


def main() -> None:
    """Run the command line; what it said has to have arrived before it ends well."""
    try:
        try:
            with signals.raised():
                app()
        finally:
            sys.stdout.flush()
    except OSError as error:
        if os.environ.get(DEBUG) or error.filename or error.errno not in (*FULL, errno.EPIPE):
            raise
        # What is left in the buffer would be written at the end, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:  # nobody reads any more: as click does
            sys.exit(1)
        show(MigrationError(f"what was to be written does not fit: {error.strerror}"))
        sys.exit(MigrationError.exit_status)
