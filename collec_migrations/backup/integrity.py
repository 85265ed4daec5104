"""Is a backup still what it was when it was made? Reads files, needs no server."""

import os
from collections.abc import Iterator
from pathlib import Path

from collec_migrations.backup import manifest, pg_dump, store
from collec_migrations.backup.dump_programs import Tools
from collec_migrations.backup.store import Backup
from collec_migrations.errors import BackupDamaged, ServerFailed
from collec_migrations.postgres import account, programs

OURS = (
    manifest.NAME,
    *(store.VERDICT, f"{store.VERDICT}{store.PARTIAL}"),
    *(store.ACCEPTED, f"{store.ACCEPTED}{store.PARTIAL}"),
)


def problems(backup: Backup) -> Iterator[str]:
    """Yield what differs from the manifest: a file changed, cut, missing or added."""
    known = {file.path: file for file in backup.manifest.files}
    for path, file in known.items():
        found = backup.path / path
        if not found.is_file():
            yield f"{path} is missing"
        elif found.stat().st_size != file.size:
            yield f"{path} has {found.stat().st_size} bytes, not {file.size}"
        elif manifest.checksum(found) != file.sha256:
            yield f"{path} is not what was written: its checksum differs"
    for found in sorted(backup.path.rglob("*")):
        path = str(found.relative_to(backup.path))
        if found.is_file() and path not in known and path not in OURS:
            yield f"{path} was added"


def refuse_damaged(backup: Backup) -> None:
    """Raise `Damaged` unless every file is as it was written: restoring runs what is in them."""
    found = list(problems(backup))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise BackupDamaged(
            f"{backup.id} is damaged: {found[0]}{more}",
            hint="Restore another backup; `collec-migrations backup list` shows them.",
        )


def read_through(backup: Backup, tools: Tools) -> str:
    """Read the whole archive by pg_restore; return why it cannot be read, empty when it can."""
    where = pg_dump.path(backup.path, backup.manifest.archive)
    command = (tools.program("pg_restore"), f"--file={os.devnull}", str(where))
    caller = account.owner(os.geteuid())
    try:
        programs.run(command, account=caller, folder=Path("/"))
    except ServerFailed as error:
        return f"the archive cannot be read: {error.hint}"
    return ""
