"""A standby's slot on its primary, who the primary is, and the proof that both sides stream.

`pg_is_in_recovery()` holds as well for a standby that receives nothing, and a receiver's row is
there for one that waits on another timeline (facts 4.3).
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2 import errors, extensions

from collec_migrations.errors import (
    ConnectionFailed,
    ReplicationFailed,
    ReplicationRefused,
    ServerFailed,
)
from collec_migrations.postgres import address, pg_versions, postmaster, programs
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.connection import Connection, first_line
from collec_migrations.postgres.conninfo import Address
from collec_migrations.replica import local_node, standby_config, states
from collec_migrations.replica.local_node import LocalNode

SLOT_PATIENCE = 30.0
"""Seconds: the sender of a killed client notices late that nobody reads."""


def create_slot(connection: Connection, name: str) -> None:
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
        raise slot_taken(name) from error
    except psycopg2.Error as error:
        raise ReplicationFailed(f"the slot {name!r} was not made: {first_line(error)}") from error


def slot_taken(name: str) -> ReplicationRefused:
    """Return the refusal to use a slot that is there already."""
    return ReplicationRefused(
        f"the slot {name!r} is there already",
        hint="Another standby may need it: choose another --name. If nobody does, run on the "
        f"primary: select pg_drop_replication_slot('{name}').",
    )


def slot_is_usable(connection: Connection, name: str) -> bool:
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


def drop_slot(connection: Connection, name: str, *, patience: float = SLOT_PATIENCE) -> bool:
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
                raise _left_slot(name, error) from error
        except psycopg2.Error as error:
            raise _left_slot(name, error) from error
        time.sleep(0.1)


def drop_unused_slot(connection: Connection, name: str) -> bool:
    """Drop a slot that nobody uses at this moment; tell whether it is gone."""
    try:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute("select pg_drop_replication_slot(%s)", (name,))
    except errors.ObjectInUse:
        return False
    except errors.UndefinedObject:
        return True
    except psycopg2.Error as error:
        raise _left_slot(name, error) from error
    return True


def left_slot_hint(name: str) -> str:
    """Return what to do about a slot that could not be dropped."""
    return (
        "It keeps WAL until the disk is full. Run on the primary: "
        f"select pg_drop_replication_slot('{name}');"
    )


def _end_holder(cursor: extensions.cursor, name: str) -> None:
    if pg_versions.server_has(cursor.connection.server_version, "slots_active_pid"):
        cursor.execute(
            "select pg_terminate_backend(active_pid) from pg_replication_slots"
            " where slot_name = %s and active_pid is not null",
            (name,),
        )


def _left_slot(name: str, error: psycopg2.Error) -> ReplicationFailed:
    return ReplicationFailed(
        f"the slot {name!r} is still there: {first_line(error)}", hint=left_slot_hint(name)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a server says of itself to a standby."""

    system: str
    timeline: int
    position: int
    """Where it writes, or how far it has received."""
    history: states.History
    """Its former timelines, and where each was left."""


def identify(source: Address) -> Identity:
    """Return who answers; raise ReplicationRefused when a standby would not be let in."""
    with _connected(source) as connection, connection.cursor() as cursor:
        cursor.execute("IDENTIFY_SYSTEM")
        row = cursor.fetchone()
        assert row is not None
        system, timeline, position = str(row[0]), int(row[1]), states.parse_lsn(row[2])
        content = ""
        if timeline > 1:  # the first timeline has no history
            cursor.execute(f"TIMELINE_HISTORY {timeline}")
            row = cursor.fetchone()
            assert row is not None
            content = _text(row[1])
        return Identity(
            system=system,
            timeline=timeline,
            position=position,
            history=states.parse_history(content),
        )


@contextmanager
def _connected(source: Address) -> Iterator[Connection]:
    try:
        with closing(database.connect_for_replication(source)) as connection:
            yield connection
    except ConnectionFailed as error:
        raise ReplicationRefused(
            f"a standby of this machine is not let in: {error}",
            hint="Its pg_hba.conf needs a line for `replication` and this address, and the "
            "password file one for the role: see `replica primary`.",
        ) from error
    except database.Error as error:
        raise ReplicationRefused(f"the primary does not answer: {first_line(error)}") from error


def _text(value: object) -> str:
    """Return a history file, which comes as bytes or as text."""
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    text = str(value)
    # bytea in its text form
    return bytes.fromhex(text[2:]).decode("utf-8", "replace") if text.startswith("\\x") else text


RECEIVER = "select coalesce(status, ''), coalesce(received_tli, 0) from pg_stat_wal_receiver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """When a standby has arrived."""

    slot: str
    position: str
    """Where the primary was when the copy ended; the standby has to confirm that it is there."""
    timeline: int


def current_lsn(connection: Connection) -> str:
    """Return where a primary writes its WAL."""
    major = pg_versions.of(connection.server_version)
    return str(_one(connection, f"select {pg_versions.text('fn_current_lsn', major)}()::text"))


def wait_for_stream(
    connection: Connection, node: LocalNode, goal: Goal, *, patience: float
) -> bool:
    """Wait until a standby of this machine streams; tell whether it could be asked itself.

    `connection` is to the primary, in autocommit. Without a way into the standby (its owner comes
    in by the socket, as a rule) the slot alone has to prove it: it is in use, and the standby has
    confirmed the goal's position. Raises ReplicationFailed after `patience` seconds, or at once
    when the server has ended.
    """
    deadline = time.monotonic() + patience
    received = None
    while time.monotonic() < deadline:
        if not local_node.is_running(node):
            break
        try:
            confirmed = _confirmed(connection, goal)
        except psycopg2.Error as error:
            raise ReplicationFailed(f"the primary went away: {first_line(error)}") from error
        if confirmed:
            received = _received(node)
            if received in (None, ("streaming", goal.timeline)):
                return received is not None
        time.sleep(0.1)
    words = programs.last_words(standby_config.read_owned(node.log, node.account))
    seen = f" (its receiver: {received[0]}, timeline {received[1]})" if received else ""
    raise ReplicationFailed(f"the standby does not stream{seen}", hint=words)


def _confirmed(connection: Connection, goal: Goal) -> bool:
    diff = pg_versions.text("fn_lsn_diff", pg_versions.of(connection.server_version))
    return bool(
        _one(
            connection,
            f"select coalesce(bool_or(active and {diff}(restart_lsn, %s) >= 0), false)"
            " from pg_replication_slots where slot_name = %s",
            goal.position,
            goal.slot,
        )
    )


def _received(node: LocalNode) -> tuple[str, int] | None:
    """Return state and timeline of a standby's receiver; None when there is no way to ask it."""
    server = postmaster.running(node.data)
    if server is None or pg_versions.text("stat_wal_receiver", node.major) is None:
        return None
    where = address.Address(
        host=server.socket_folder, port=server.port, user=node.account.name, dbname="postgres"
    )
    try:
        answer = node.run("psql", "-XAtqw", "-F", " ", "-d", where.dsn, "-c", RECEIVER).split()
    except ServerFailed:
        return None
    if not answer:
        return "", 0
    # A role that may not look sees an empty state.
    return (answer[0], int(answer[1])) if len(answer) == 2 else None


def _one(connection: Connection, query: str, *parameters: str) -> object:
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(query, parameters or None)
        row = cursor.fetchone()
    return row[0] if row else None
