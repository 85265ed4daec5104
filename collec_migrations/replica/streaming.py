"""Has a standby reached its primary? Asked on both sides, since each alone can be mistaken.

`pg_is_in_recovery()` holds as well for a standby that receives nothing, and a receiver's row is
there for one that waits on another timeline (facts 4.3).
"""

import time
from dataclasses import dataclass

import psycopg2
from psycopg2 import extensions

from collec_migrations.errors import ReplicationFailed, ServerFailed
from collec_migrations.postgres import pg_versions, postmaster, programs
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.connection import Connection, first_line
from collec_migrations.replica import machine, owned
from collec_migrations.replica.machine import Node

RECEIVER = "select coalesce(status, ''), coalesce(received_tli, 0) from pg_stat_wal_receiver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """When a standby has arrived."""

    slot: str
    position: str
    """Where the primary was when the copy ended; the standby has to confirm that it is there."""
    timeline: int


def position(connection: Connection) -> str:
    """Return where a primary writes its WAL."""
    major = pg_versions.of(connection.server_version)
    return str(_one(connection, f"select {pg_versions.text('fn_current_lsn', major)}()::text"))


def wait(connection: Connection, node: Node, goal: Goal, *, patience: float) -> bool:
    """Wait until a standby of this machine streams; tell whether it could be asked itself.

    `connection` is to the primary, in autocommit. Without a way into the standby (its owner comes
    in by the socket, as a rule) the slot alone has to prove it: it is in use, and the standby has
    confirmed the goal's position. Raises ReplicationFailed after `patience` seconds, or at once
    when the server has ended.
    """
    deadline = time.monotonic() + patience
    received = None
    while time.monotonic() < deadline:
        if not machine.is_running(node):
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
    words = programs.last_words(owned.read(node.log, node.account))
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


def _received(node: Node) -> tuple[str, int] | None:
    """Return state and timeline of a standby's receiver; None when there is no way to ask it."""
    server = postmaster.running(node.data)
    if server is None or pg_versions.text("stat_wal_receiver", node.major) is None:
        return None
    where = Address(
        host=server.socket_folder, port=server.port, user=node.account.name, dbname="postgres"
    )
    try:
        told = node.run("psql", "-XAtqw", "-F", " ", "-d", where.dsn, "-c", RECEIVER).split()
    except ServerFailed:
        return None
    if not told:
        return "", 0
    # A role that may not look sees an empty state.
    return (told[0], int(told[1])) if len(told) == 2 else None


def _one(connection: Connection, query: str, *parameters: str) -> object:
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(query, parameters or None)
        row = cursor.fetchone()
    return row[0] if row else None
