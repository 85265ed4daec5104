"""Whose files root does what they say: its own, and no folder that somebody else may write.

The current folder may be anybody's: /tmp, a home, the application's. What lies there is
configuration and code: `alembic.ini` names a database, `collec-versions/` holds Python and SQL.
"""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from collec_migrations.errors import UntrustedFolder

VARIABLE = "COLLEC_TRUST"
"""An account whose files root trusts as well, by name or number: that of a mounted folder, say."""


def check(path: Path) -> None:
    """Raise `UntrustedFolder` when root should not do what a file or a folder says."""
    for part, why in _doubts(path):
        raise UntrustedFolder(
            f"{part.absolute()} {why}, and root does not do what others wrote",
            hint=f"Run this as that account or in another folder, or, having looked, "
            f"set {VARIABLE} to its name.",
        )


def is_trusted(path: Path) -> bool:
    """Say whether root may do what a file or a folder says; anybody else decides by himself."""
    return not any(True for _ in _doubts(path))


def _doubts(path: Path) -> Iterator[tuple[Path, str]]:
    if os.geteuid() != 0 or not os.path.lexists(path):
        return
    parts = [path, *path.iterdir()] if path.is_dir() else [path]
    trusted = {0, *_others()}
    for part in parts:
        for found in {part.lstat(), part.stat()} if part.exists() else {part.lstat()}:
            if found.st_uid not in trusted:
                yield part, f"belongs to {_name(found.st_uid)}"
            elif not stat.S_ISLNK(found.st_mode) and found.st_mode & stat.S_IWOTH:
                yield part, "may be written by everybody"


def _others() -> Iterator[int]:
    told = os.environ.get(VARIABLE, "")
    if told.isdecimal():
        yield int(told)
    elif told:
        try:
            yield pwd.getpwnam(told).pw_uid
        except KeyError:
            return


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"
