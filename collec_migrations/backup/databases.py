"""The databases of a server: their names, and ANALYZE for one."""

from contextlib import closing

from collec_migrations.errors import BackupFailed
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.connection import translated
from collec_migrations.postgres.conninfo import Address


def names(address: Address) -> tuple[str, ...]:
    """Return the databases of a server that hold data: no templates, none that refuse entry."""
    with closing(database.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select datname from pg_database"
            " where datallowconn and not datistemplate order by datname"
        )
        return tuple(str(name) for (name,) in cursor.fetchall())


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
