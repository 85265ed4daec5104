"""Read and write the files of a server as the account that owns them.

Root would follow a link that this account laid.
"""

from contextlib import suppress
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import programs
from collec_migrations.postgres.account import Account

# The text comes to the disk before it gets its name, and so does the name.
WRITE = (
    'cat >"$1.partial" && sync "$1.partial" && mv -f "$1.partial" "$1" && sync "$(dirname "$1")"'
)


def read(path: Path, account: Account) -> str:
    """Return the text of a file; nothing when there is no file, or none that is readable."""
    with suppress(ServerFailed):
        command = ("/bin/sh", "-c", 'cat -- "$1"', "sh", path)
        return programs.run(command, account=account, folder=Path("/"))
    return ""


def write(path: Path, text: str, account: Account) -> None:
    """Write a file at once, readable by its owner alone.

    Raises ServerFailed when it cannot be written; the former one is then as it was.
    """
    command = ("/bin/sh", "-c", WRITE, "sh", path)
    programs.run(command, account=account, folder=Path("/"), text=text)
