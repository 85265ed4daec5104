"""The databases of a server: their names, and ANALYZE for one."""

from collections.abc import Callable
from contextlib import closing

from collec_migrations.errors import BackupFailed
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.connection import translated
from collec_migrations.postgres.conninfo import Address


def names(address: Address, say: Callable[[str], None]) -> tuple[str, ...]:
    """Return the databases of a server that can be backed up; those left out are told.

    No templates. A database that refuses connections, as one whose `drop database` was
    interrupted (datconnlimit -2, PostgreSQL 15.4), is left out and named.
    """
    with closing(database.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select datname, datallowconn and datconnlimit <> -2 from pg_database"
            " where not datistemplate order by datname"
        )
        found = [(str(name), open_) for name, open_ in cursor.fetchall()]
    for name, is_open in found:
        if not is_open:
            say(f"left out {name!r}: it does not accept connections")
    return tuple(name for name, is_open in found if is_open)


def name_of(address: Address) -> str:
    """Return the name of the database that an address leads to."""
    with closing(database.connect(address)) as connection:
        return str(connection.info.dbname)


def analyze(address: Address) -> None:
    """Let the server count what its planner needs to know."""
    with (
        translated(BackupFailed, "ANALYZE failed"),
        closing(database.connect(address)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("analyze")
        connection.commit()
