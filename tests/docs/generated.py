"""The pages that are made from the code: every command, every setting, the pictures."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from collec_migrations import settings
from collec_migrations.cli import main
from tests import commands
from tests.docs.pages import DOCS

MADE = "<!-- made from the code by `make docs`: change the code, not this page -->"
VARIABLES = (
    ("COLLEC_APP", "", "folder of the application, as `--app`"),
    ("COLLEC_DATABASE_URL", "", "address of the database"),
    ("COLLEC_ADMIN_PASSWORD", "random", "password of the account `admin` of a new installation"),
    ("COLLEC_DB_PASSWORD", "", "password of the role that `install` makes"),
    ("COLLEC_NODES", "`collec-nodes.toml`", "file that names primary and standbys"),
    ("COLLEC_TRUST", "", "an account whose files in the current folder root trusts as well"),
    ("COLLEC_BACKUP_DIR", "", "the folder that holds the backups"),
    ("COLLEC_SCRATCH", "the system's", "folder for trial restores and rehearsals"),
    ("COLLEC_DOCTOR_IGNORE", "", "lines of `doctor` that are not to count, separated by commas"),
    ("COLLEC_BACKUP_OFFSITE", "", "command that `backup run` runs afterwards"),
    ("COLLEC_BACKUP_ID", "", "given to that command: the backup's id"),
    ("COLLEC_BACKUP_PATH", "", "given to that command: the backup's folder"),
    ("COLLEC_SERVER_ACCOUNT", "postgres", "account under which root runs an embedded server"),
    ("COLLEC_POSTGRES", "", "folders of further PostgreSQL servers, separated by colons"),
    ("COLLEC_TEST_MAJORS", "", "majors on which the pytest plugin runs each test"),
    ("COLLEC_TEST_ROWS", "300", "movements in the databases that `test-paths` fills"),
    ("COLLEC_TEST_SERVER", "", "a server that is there already, for the pytest plugin"),
    ("COLLEC_DEBUG", "", "`1`: show where an error came from"),
    ("NO_COLOR", "", "anything: no colours, on a terminal either"),
)
"""Variables that are no setting of a run, with default and meaning."""


COMMANDS = f"""# Every command

{MADE}

`collec-migrations COMMAND --help` says the same. With `--json` a command writes one JSON object
on standard output; an error is `{{"error": {{...}}}}` with message, hint and status. Results go to
standard output, everything else to standard error.

| exit status | meaning |
|---|---|
| 0 | yes; done |
| 1 | no: the answer is no, or the question was answered with no |
| 2 | usage: the command or a setting is not what it must be; nothing was touched |
| 3 | failed; the message says what was left |
| 75 | another run is at work on the same folder; try again later |

Tab completion: `collec-migrations --install-completion`, for the shell that it is typed in.
For a package, `_COLLEC_MIGRATIONS_COMPLETE=source_bash collec-migrations` prints the script
(`source_zsh`, `source_fish`)."""
SETTINGS = f"""# Every setting

{MADE}

Names of schemas are options of `collec-migrations` (`--col lab`). Each can be given to `alembic` as
`-x lock_wait=5`, as a variable of both, or in `alembic.ini` under `[alembic]` as
`collec.lock_wait = 5`; the first of these wins. The application's files (`--app`) come before
variables.
"""
PLACES = f"""
A schema name that holds a comma, or begins or ends with a blank, stands in double quotes, as in
SQL.

## Where it connects

The first of these that says where the database is:

1. `--url` (`-x url=`);
2. `--app DIR` (`-x app=`), else `COLLEC_APP`: the folder of the application. Its own files say
   where it connects, as whom, and which schemas it uses; libpq's variables fill only what they
   leave open. For an instance of several, name the folder that holds its `param.ini` and `bin`;
3. `COLLEC_DATABASE_URL`;
4. libpq's own variables, when one is set ({", ".join(settings.LIBPQ_VARIABLES)});
5. `sqlalchemy.url` of alembic.ini;
6. an embedded server with its data under `.collec/` in the current folder.

Names of schemas and the application's code: option, application, variable, alembic.ini, default.
Root at a socket becomes the account of the role's name, or `postgres`, for the moment of
connecting. Keep passwords in `~/.pgpass`: none is ever shown in a message.

## Variables alone

| variable | default | meaning |
|---|---|---|"""


def command_page() -> str:
    """Return the page of all commands."""
    return "\n".join(_command_lines()).rstrip() + "\n"


def _command_lines() -> Iterator[str]:
    leaves = commands.leaves()
    yield COMMANDS
    options = len(commands.all_options())
    yield f"\nThese are {len(leaves)} commands with {options} options between them."
    for title, names in main.SECTIONS.items():
        yield from ("", f"## {title}")
        for words in (words for name in names for words in leaves if words[0] == name):
            yield from _command(" ".join(words), leaves[words])


def _command(name: str, command: Any) -> Iterator[str]:
    context = typer.Context(command, info_name=name)
    usage = " ".join((name, *command.collect_usage_pieces(context)[1:]))
    yield from ("", f"### `{usage}`", "", command.help.strip(), "", "| | |", "|---|---|")
    for one in command.params:
        shown, meaning = one.get_help_record(context)
        yield f"| `{shown}` | {' '.join(meaning.split())} |".replace("|...", "\\|...")


def settings_page() -> str:
    """Return the page of all settings."""
    return "\n".join(_setting_lines()) + "\n"


def _setting_lines() -> Iterator[str]:
    yield from (SETTINGS, "| name | variable | default | meaning |", "|---|---|---|---|")
    for one in settings.SETTINGS:
        yield f"| `{one.option}` | `{one.variable}` | `{one.default}` | {one.meaning} |"
    yield PLACES
    for variable, default, meaning in VARIABLES:
        yield f"| `{variable}` | {default} | {meaning} |"


FILES: Mapping[Path, Callable[[], str]] = {
    DOCS / "commands.md": command_page,
    DOCS / "settings.md": settings_page,
}
"""What is made, and by what."""
