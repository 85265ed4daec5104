"""Slots on a primary: made for a standby, and dropped when nobody will come back for them."""

import time

import psycopg2
from psycopg2 import errors, extensions

from collec_migrations.errors import ReplicationFailed, ReplicationRefused
from collec_migrations.postgres import pg_versions
from collec_migrations.postgres.connection import Connection, first_line

PATIENCE = 30.0
"""Seconds: the sender of a killed client notices late that nobody reads."""


def create(connection: Connection, name: str) -> None:
    """Make a physical slot that keeps WAL from now on (from its first use before 9.6).

    `connection` is in autocommit. Raises ReplicationRefused when there is one of that name,
    ReplicationFailed when the server does not let us.
    """
    major = pg_versions.of(connection.server_version)
    reserved = ", true" if pg_versions.text("bb_slot", major) else ""
    try:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute(f"select pg_create_physical_replication_slot(%s{reserved})", (name,))
    except errors.DuplicateObject as error:
        raise taken(name) from error
    except psycopg2.Error as error:
        raise ReplicationFailed(f"the slot {name!r} was not made: {first_line(error)}") from error


def taken(name: str) -> ReplicationRefused:
    """Return the refusal to use a slot that is there already."""
    return ReplicationRefused(
        f"the slot {name!r} is there already",
        hint="Another standby may need it: choose another --name. If nobody does, run on the "
        f"primary: select pg_drop_replication_slot('{name}').",
    )


def is_whole(connection: Connection, name: str) -> bool:
    """Tell whether a slot is free and keeps what it promised; a lost one cannot be revived."""
    major = pg_versions.of(connection.server_version)
    lost = "wal_status = 'lost'" if pg_versions.holds("slots_wal_status", major) else "false"
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(
            f"select not active and not coalesce({lost}, false)"
            " from pg_replication_slots where slot_name = %s",
            (name,),
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def drop(connection: Connection, name: str, *, patience: float = PATIENCE) -> bool:
    """Drop a slot, after ending whoever still holds it; tell whether it was there.

    `connection` is in autocommit. Raises ReplicationFailed when it is still there in the end.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            with connection.cursor(cursor_factory=extensions.cursor) as cursor:
                _end_holder(cursor, name)
                cursor.execute("select pg_drop_replication_slot(%s)", (name,))
                return True
        except errors.UndefinedObject:
            return False
        except errors.ObjectInUse as error:
            if time.monotonic() > deadline:
                raise _left(name, error) from error
        except psycopg2.Error as error:
            raise _left(name, error) from error
        time.sleep(0.1)


def drop_unused(connection: Connection, name: str) -> bool:
    """Drop a slot that nobody uses at this moment; tell whether it is gone."""
    try:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute("select pg_drop_replication_slot(%s)", (name,))
    except errors.ObjectInUse:
        return False
    except errors.UndefinedObject:
        return True
    except psycopg2.Error as error:
        raise _left(name, error) from error
    return True


def left_hint(name: str) -> str:
    """Return what to do about a slot that could not be dropped."""
    return (
        "It keeps WAL until the disk is full. Run on the primary: "
        f"select pg_drop_replication_slot('{name}');"
    )


def _end_holder(cursor: extensions.cursor, name: str) -> None:
    if cursor.connection.server_version >= 90500:  # active_pid
        cursor.execute(
            "select pg_terminate_backend(active_pid) from pg_replication_slots"
            " where slot_name = %s and active_pid is not null",
            (name,),
        )


def _left(name: str, error: psycopg2.Error) -> ReplicationFailed:
    return ReplicationFailed(
        f"the slot {name!r} is still there: {first_line(error)}", hint=left_hint(name)
    )
