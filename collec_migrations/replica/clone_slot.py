"""The slot of a clone: made before the copy, dropped when the clone fails."""

import os

from collec_migrations.errors import ConnectionFailed, ReplicationFailed, ReplicationRefused
from collec_migrations.postgres.connection import Connection
from collec_migrations.replica import clone_checks, clone_journal, clone_reading, slots
from collec_migrations.replica.clone_journal import Begun, Journal
from collec_migrations.replica.clone_order import Order
from collec_migrations.replica.clone_reading import Plan, Source


def made(found: Plan, connection: Connection) -> bool:
    """Make the slot, unless the standby that is replaced left a good one; tell whether we did."""
    order = found.order
    if clone_checks.owns_slot(order, found.primary, found.target):
        if slots.is_whole(connection, order.slot):
            return False
        slots.drop_unused(connection, order.slot)
    slots.create(connection, order.slot)
    return True


def forget(order: Order, journal: Journal) -> None:
    """Drop the slot, by a new connection; the journal stays for the next run when that fails."""
    try:
        with clone_reading.connected(order) as again:
            slots.drop(again.connection, order.slot)
    except ConnectionFailed as error:
        raise ReplicationFailed(
            f"the slot {order.slot!r} is still on {order.shown}: {error}",
            hint=f"{slots.left_hint(order.slot)} The next clone into this folder does it, too.",
        ) from error
    if not os.path.lexists(order.partial):
        journal.end()


def drop_left(source: Source, begun: Begun, order: Order) -> None:
    """Drop the slot of a killed run; one whose copy was complete may be in use by now."""
    if (begun.host, begun.port) != (order.host, order.port):
        raise ReplicationRefused(
            f"a killed run left the slot {begun.slot!r} on {begun.host}:{begun.port}",
            hint=f"{slots.left_hint(begun.slot)} Then remove {clone_journal.path_of(order)}.",
        )
    if begun.partial:
        slots.drop(source.connection, begun.slot)
    else:
        slots.drop_unused(source.connection, begun.slot)
