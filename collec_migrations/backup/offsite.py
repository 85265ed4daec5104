"""Hand a backup to a command of the site's own, which takes it to another place."""

import os
import shlex
import subprocess
from pathlib import Path

from collec_migrations.errors import BackupFailed, UsageError
from collec_migrations.postgres import programs

PATH, ID = "{path}", "{id}"
SHORT = "{}"
"""The path, too, as in xargs."""


def words(command: str, backup: Path) -> tuple[str, ...]:
    """Return the command with `{path}` and `{id}` replaced; without both, the path is added.

    A program that copies contents, as rclone and rsync do, needs the id in its target: else each
    backup overwrites the one before.
    """
    try:
        found = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"the off-site command cannot be read: {error}".lower()) from error
    if not found:
        raise UsageError("the off-site command is empty")
    if not any(one in command for one in (PATH, ID, SHORT)):
        found.append(PATH)
    return tuple(
        word.replace(PATH, str(backup)).replace(ID, backup.name).replace(SHORT, str(backup))
        for word in found
    )


def send(command: str, backup: Path) -> None:
    """Run the command for a backup; raise `BackupFailed` when it does not succeed."""
    told = words(command, backup)
    environment = {**os.environ, "COLLEC_BACKUP_ID": backup.name, "COLLEC_BACKUP_PATH": str(backup)}
    try:
        done = subprocess.run(
            told, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environment
        )
    except OSError as error:
        raise BackupFailed(
            f"the off-site command {told[0]!r} cannot be run: {error.strerror}",
            hint=f"{backup.name} is complete where it is.",
        ) from error
    if done.returncode != 0:
        said = programs.last_words(done.stderr.decode(errors="replace"))
        raise BackupFailed(
            f"the off-site command failed with status {done.returncode}: {said}",
            hint=f"{backup.name} is complete where it is; send it with the same command by hand.",
        )
