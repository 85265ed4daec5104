"""Settings of a session for loading many rows that are known to be sound."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2 import extensions


@contextmanager
def unchecked(connection: extensions.connection) -> Iterator[None]:
    """Skip the check of every single foreign key in this block, if the role may.

    Only a superuser may. The checks take three quarters of the time of loading.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select current_setting('is_superuser'), current_setting('session_replication_role')"
        )
        superuser, before = cursor.fetchone() or ("off", "")
        if superuser != "on":
            yield
            return
        cursor.execute("set session_replication_role to replica")
        try:
            yield
        finally:
            # After an error the transaction is lost, and the setting with it.
            if connection.info.transaction_status != extensions.TRANSACTION_STATUS_INERROR:
                cursor.execute(
                    "select set_config('session_replication_role', %s, false)", (before,)
                )
