"""Does this machine sort texts as the primary does? Otherwise indexes on text mislead a standby."""

import os
from contextlib import suppress

from psycopg2 import extensions

from collec_migrations.postgres.connection import Connection

SINCE = 150000  # pg_database.datcollversion
LIBC = """
select distinct datcollversion from pg_database
where datlocprovider = 'c' and datcollversion is not null
"""


def of_primary(connection: Connection) -> tuple[str, ...]:
    """Return the versions of the C library by which a primary sorts; none before 15, or for C."""
    if connection.server_version < SINCE:
        return ()
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(LIBC)
        return tuple(str(version) for (version,) in cursor.fetchall())


def of_machine() -> str:
    """Return the version of this machine's C library; nothing when it does not tell (musl)."""
    with suppress(ValueError, OSError):
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").rpartition(" ")[2]
    return ""


def notes(primary: tuple[str, ...], machine: str) -> tuple[str, ...]:
    """Return what is to be known when they differ. Pure."""
    if not machine or not primary or primary == (machine,):
        return ()
    return (
        f"the primary sorts texts by version {', '.join(primary)} of the C library, this machine"
        f" has {machine}: queries on the standby may miss rows; use the same system release",
    )
