"""How long a statement of a run waits for a lock, and how soon a dead client is noticed."""

from psycopg2.extensions import connection as Connection  # noqa: N812  (a class in psycopg2)
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

LIVENESS = "client_connection_check_interval"
NOTICED_AFTER = "1s"
"""A server otherwise ends a long statement, with all its locks, before it sees its client dead."""

# From 14 on, and only where the server's system can tell (manual, 20.3.1): surely Linux.
SET = f"""
select pg_catalog.set_config('lock_timeout', %s, false)
union all
select pg_catalog.set_config(name, '{NOTICED_AFTER}', false) from pg_catalog.pg_settings
where name = '{LIVENESS}' and pg_catalog.version() like '%%linux%%'
"""
READ = f"""
select name, setting from pg_catalog.pg_settings where name in ('lock_timeout', '{LIVENESS}')
"""


def put(cursor: Cursor, *, lock_timeout: float) -> None:
    """Set the limits of a run for the session; a rollback takes them back."""
    cursor.execute(SET, (f"{round(lock_timeout * 1000)}ms",))


def read(connection: Connection) -> dict[str, str]:
    """Return the session's limits."""
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return dict(cursor.fetchall())


def put_back(connection: Connection, before: dict[str, str]) -> None:
    """Set limits that were read before."""
    with connection.cursor() as cursor:
        for name, value in before.items():
            cursor.execute("select pg_catalog.set_config(%s, %s, false)", (name, value))
