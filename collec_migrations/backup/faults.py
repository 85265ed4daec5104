"""What can be wrong with a backup, one class for each thing a user can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2

from collec_migrations.errors import MigrationError
from collec_migrations.postgres.connection import first_line


class BackupFailed(MigrationError):
    """No backup was made of a database; older ones are as they were."""


class AnotherRuns(MigrationError):
    """Another backup into the same folder is at work."""

    exit_status = 75  # EX_TEMPFAIL of sysexits.h: try again later


class NotABackup(MigrationError):
    """A folder does not hold what a complete backup holds."""


class Damaged(MigrationError):
    """A backup is not what it was when it was made."""

    exit_status = 1


class RestoreRefused(MigrationError):
    """Restoring would overwrite something, or cannot succeed."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Tell what the server or the file system refused as one `BackupFailed`: `what: why`."""
    try:
        yield
    except psycopg2.Error as error:
        raise BackupFailed(f"{what}: {first_line(error)}") from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        where = f" ({error.filename})" if error.filename else ""
        raise BackupFailed(f"{what}: {why}{where}") from error
