"""Hand a backup to a command of the site's own, which takes it to another place."""

import os
import shlex
import subprocess
from pathlib import Path

from collec_migrations.errors import BackupFailed, UsageError
from collec_migrations.postgres import programs

PLACE = "{}"


def words(command: str, backup: Path) -> tuple[str, ...]:
    """Return the command with `{}` replaced by the backup's folder, which is added when absent."""
    try:
        found = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"the off-site command cannot be read: {error}".lower()) from error
    if not found:
        raise UsageError("the off-site command is empty")
    if PLACE not in command:
        found.append(PLACE)
    return tuple(word.replace(PLACE, str(backup)) for word in found)


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
            hint=f"{backup.name} is complete where it is; send it with `backup offsite`.",
        )
