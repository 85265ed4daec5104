"""Run pg_restore: everything into a new server, or all or nothing into a server of the site."""

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from collec_migrations.backup import pg_dump
from collec_migrations.backup.dump_programs import Tools
from collec_migrations.backup.libpq_environment import Door
from collec_migrations.backup.store import Backup
from collec_migrations.errors import BackupDamaged, BackupFailed, RestoreRefused
from collec_migrations.postgres import programs

JOBS = 2
ENTRY = re.compile(r"\d+; \d+ \d+ (?P<rest>.*)")
"""A line of the table of contents; line breaks within names are blanks there."""
NOT_HERE = ("is not available", "could not open extension control file")
NOT_NOW = ("No space left on device", "closed the connection", "connection to server")
"""What a server says of itself, not of the backup."""


def load_fast(backup: Backup, tools: Tools, door: Door) -> None:
    """Restore into a database that nobody needs when this fails; it has no tablespaces."""
    _run(backup, tools, door, f"--jobs={JOBS}", "--no-tablespaces")


def load_whole(backup: Backup, tools: Tools, door: Door, schemas: Sequence[str] = ()) -> None:
    """Restore in one transaction: all of the backup, or these schemas."""
    chosen = [f"--schema={name}" for name in schemas]
    try:
        _run(backup, tools, door, "--single-transaction", *chosen)
    except BackupDamaged as error:  # every checksum is right: the target or the role is in the way
        raise RestoreRefused(
            f"the target does not take {backup.id}; nothing was restored", hint=error.hint
        ) from error


def load_schemas(backup: Backup, tools: Tools, door: Door, names: Collection[str]) -> None:
    """Make schemas themselves, with owner and rights: `--schema` leaves that out.

    What is restored is chosen from the archive's own table of contents, by entry: a line of a
    function's body is none.
    """
    listed = _read(backup, tools, door, "--list")
    wanted = [line for line in listed.splitlines() if _makes_schema(line, names)]
    descriptor = os.memfd_create("entries")
    try:
        os.write(descriptor, "\n".join(wanted).encode())
        words = ("--single-transaction", f"--use-list=/proc/self/fd/{descriptor}")
        inherited = replace(door, descriptors=(*door.descriptors, descriptor))
        _run(backup, tools, inherited, *words)
    finally:
        os.close(descriptor)


def script(backup: Backup, tools: Tools, door: Door) -> str:
    """Return the statements of the archive, without the rows."""
    return _read(backup, tools, door, "--schema-only", "--file=-")


def _makes_schema(line: str, names: Collection[str]) -> bool:
    """Tell an entry such as `7; 2615 16385 SCHEMA - col owner`, `8; 0 0 ACL - SCHEMA col owner`."""
    entry = ENTRY.match(line)
    if entry is None:
        return False
    rest = entry["rest"]
    beginnings = [f"{kind} {name} " for kind in ("SCHEMA -", "ACL - SCHEMA") for name in names]
    return rest.startswith(tuple(beginnings))


def _read(backup: Backup, tools: Tools, door: Door, *words: str) -> str:
    where = pg_dump.path(backup.path, backup.manifest.archive)
    with door.start((tools.program("pg_restore"), *words, str(where))) as process:
        out, messages = process.communicate()
    if process.returncode != 0:
        words_of_it = programs.last_words(messages.decode(errors="replace"))
        raise BackupDamaged(f"the archive of {backup.id} cannot be read", hint=words_of_it)
    return out.decode(errors="replace")


def _run(backup: Backup, tools: Tools, door: Door, *options: str) -> None:
    where = pg_dump.path(backup.path, backup.manifest.archive)
    command = (
        tools.program("pg_restore"),
        "--no-password",
        "--exit-on-error",
        f"--dbname={door.dsn}",
        *options,
        str(where),
    )
    with door.start(command) as process:
        _, messages = process.communicate()
    if process.returncode == 0:
        return
    words = programs.last_words(door.without_secret(messages.decode(errors="replace")))
    if any(part in words for part in NOT_HERE):
        raise RestoreRefused(
            "the server lacks an extension that the backup needs",
            hint=f"Install it there, or use another server. {words}",
        )
    if any(part in words for part in NOT_NOW):
        raise BackupFailed(f"the server did not hold out while {backup.id} came in", hint=words)
    raise BackupDamaged(f"{backup.id} does not restore", hint=words)
