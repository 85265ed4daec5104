"""Choose the folder of a server's socket: short, plain, and nobody else's."""

import contextlib
import hashlib
import os
import re
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres.account import Account

LONGEST = 107 - len("/.s.PGSQL.65535")
"""A socket's path has 107 bytes at most (unix(7))."""


def folder_for(home: Path, account: Account, environment: Mapping[str, str] = os.environ) -> Path:
    """Return a folder for the socket, made when it is not there: the server's own if it can be."""
    if is_fit(home):
        return home
    for base in _bases(account, environment):
        folder = base / f"collec-{fingerprint(home)}"
        if is_fit(folder):
            _claim(folder, account)
            return folder
    raise ServerFailed(f"no place for a socket of {home}", hint="Use a shorter path.")


def is_fit(folder: Path) -> bool:
    """Tell whether a socket can be in a folder.

    Short enough for the kernel; no comma, which separates hosts in libpq, nor any character that
    must be quoted where an address is pasted.
    """
    path = str(folder)
    return len(os.fsencode(path)) <= LONGEST and bool(re.fullmatch(r"[\w./-]+", path, re.ASCII))


def answers(path: Path) -> bool:
    """Tell whether something listens at a socket."""
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
        client.connect(str(path))
        return True
    return False


def fingerprint(folder: Path) -> str:
    """Return a short name for a folder."""
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]


def _bases(account: Account, environment: Mapping[str, str]) -> Iterator[Path]:
    runtime = environment.get("XDG_RUNTIME_DIR")
    if runtime and account.is_caller and _is_private(Path(runtime), account):
        yield Path(runtime)
    yield Path("/tmp")


def _claim(folder: Path, account: Account) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not _is_private(folder, account):
            raise ServerFailed(
                f"{folder} exists and belongs to somebody else",
                hint=f"Remove it; it has to be a folder of {account.name} with mode 0700.",
            ) from None
    else:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def _is_private(folder: Path, account: Account) -> bool:
    """Tell whether a folder, and no link, is an account's alone."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid
    return mine and not found.st_mode & 0o077
