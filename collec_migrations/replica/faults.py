"""What can be in the way of a standby, one class for each thing a user can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2

from collec_migrations.errors import MigrationError
from collec_migrations.postgres.connection import first_line


class ReplicationFailed(MigrationError):
    """A step on the way to a standby did not succeed; what was begun is taken back."""


class ReplicationRefused(MigrationError):
    """Going on would lose something, or cannot succeed; nothing was touched."""


class ManagedElsewhere(ReplicationRefused):
    """Patroni, repmgr or pg_auto_failover is in charge here: we only read."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Tell what a server or the file system refused as one `ReplicationFailed`: `what: why`."""
    try:
        yield
    except psycopg2.Error as error:
        raise ReplicationFailed(f"{what}: {first_line(error)}") from error
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise ReplicationFailed(
            f"{what}: {(error.strerror or str(error)).lower()}{where}"
        ) from error
