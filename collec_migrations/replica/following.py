"""Let a stopped folder follow a primary: mark it, start it, wait until it streams, clean up."""

from collections.abc import Callable, Sequence
from contextlib import closing

from collec_migrations.errors import (
    ConnectionFailed,
    MigrationError,
    ReplicationFailed,
    ReplicationRefused,
)
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import pg_versions
from collec_migrations.replica import (
    clone_reading,
    clone_secret,
    configuration,
    guarded,
    machine,
    slots,
    streaming,
)
from collec_migrations.replica.clone_order import Order
from collec_migrations.replica.machine import Node
from collec_migrations.replica.nodes import Named
from collec_migrations.replica.states import Up
from collec_migrations.replica.streaming import Goal

Say = Callable[[str], None]


def mark(local: Node, order: Order) -> None:
    """Make a stopped folder a standby: from now on it cannot start as a primary."""
    passfile = clone_secret.where(order, local.account)
    configuration.write_standby(local.data, order.upstream(passfile))


def begin(local: Node, order: Order, primary: Up, *, say: Say) -> None:
    """Start a folder as a standby and wait until it streams; raises ReplicationFailed."""
    mark(local, order)
    _raise_settings(local, primary)
    with clone_reading.connected(order) as source:
        _make_slot(source.connection, order.slot)
        goal = Goal(
            slot=order.slot,
            position=streaming.position(source.connection),
            timeline=primary.timeline or 0,
        )
        say(f"starting {order.name} in {local.data}")
        machine.start(local)
        streaming.wait(source.connection, local, goal, patience=order.patience)


def tried(local: Node, order: Order, primary: Up, *, say: Say) -> bool:
    """Begin to follow; tell whether it streams, and stop the server when it does not."""
    try:
        begin(local, order, primary, say=say)
    except ReplicationFailed as error:
        say(f"it does not follow as it is: {error}" + (f" ({error.hint})" if error.hint else ""))
        machine.stop(local)
        return False
    return True


def drop_stale(named: Named, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Drop the slots of these names that a demoted node kept; they would keep WAL for ever.

    Return those that are gone, and what could not be done, with what to do.
    """
    dropped, left = [], []
    try:
        with closing(database.connect(named.address)) as connection:
            connection.autocommit = True
            for name in _unused(connection, names):
                if slots.drop_unused(connection, name):
                    dropped.append(name)
    except (ConnectionFailed, MigrationError, database.Error) as error:
        left.append(
            f"slots that {named.name} had as a primary were not dropped "
            f"({database.first_line(error)}): see `replica status`"
        )
    return tuple(dropped), tuple(left)


def _unused(connection: database.Connection, names: Sequence[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select slot_name from pg_replication_slots"
            " where not active and slot_type = 'physical' and slot_name = any (%s)",
            (list(names),),
        )
        return [str(name) for (name,) in cursor.fetchall()]


def _make_slot(connection: database.Connection, name: str) -> None:
    """Make the standby's slot, anew when what it kept is lost."""
    major = pg_versions.of(connection.server_version)
    if pg_versions.holds("slots_wal_status", major):
        with connection.cursor() as cursor:
            cursor.execute(
                "select 1 from pg_replication_slots"
                " where slot_name = %s and wal_status in ('lost', 'unreserved')",
                (name,),
            )
            if cursor.fetchone():
                slots.drop(connection, name)
    try:
        slots.create(connection, name)
    except ReplicationRefused:
        return  # it was made at the promotion


def _raise_settings(local: Node, primary: Up) -> None:
    """Give a standby at least what its primary has, or it does not start (facts 1.2)."""
    names = guarded.names(local.major)
    running = {name: value for name in names if (value := primary.number(name)) is not None}
    mine = {name: int(machine.setting(local, name)) for name in running}
    configuration.write_settings(local.data, guarded.raised(running, mine))
