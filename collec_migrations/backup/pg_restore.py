"""Run pg_restore: everything into a new server, or all or nothing into a server of the site."""

from collections.abc import Sequence

from collec_migrations.backup import pg_dump
from collec_migrations.backup.dump_programs import Tools
from collec_migrations.backup.libpq_environment import Door
from collec_migrations.backup.store import Backup
from collec_migrations.errors import BackupDamaged, BackupFailed, RestoreRefused
from collec_migrations.postgres import programs

JOBS = 2
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


def schema_statements(backup: Backup, tools: Tools, door: Door, quoted: str) -> tuple[str, ...]:
    """Return what makes a schema itself, with owner and rights: `--schema` leaves that out."""
    where = pg_dump.path(backup.path, backup.manifest.archive)
    words = ("--schema-only", "--file=-", str(where))
    with door.start((tools.program("pg_restore"), *words)) as process:
        out, _ = process.communicate()
    made = (f"CREATE SCHEMA {quoted};", f"ALTER SCHEMA {quoted} OWNER TO ")
    return tuple(
        line
        for line in out.decode(errors="replace").splitlines()
        if line.startswith(made)
        or (line.startswith(("GRANT ", "REVOKE ")) and f" ON SCHEMA {quoted} " in line)
    )


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
