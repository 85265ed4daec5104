"""Read all that a clone depends on, and decide whether it can be made; nothing is touched."""

import platform
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from psycopg2 import extensions

from collec_migrations.postgres import connection as database
from collec_migrations.postgres.account import Account
from collec_migrations.postgres.connection import Connection
from collec_migrations.postgres.conninfo import Address
from collec_migrations.replica import (
    clone_checks,
    clone_secret,
    clone_target,
    collations,
    machine,
    managers,
    primary_state,
)
from collec_migrations.replica.clone_checks import Machine, Obstacle
from collec_migrations.replica.clone_order import Order
from collec_migrations.replica.clone_target import Target
from collec_migrations.replica.configuration import Upstream
from collec_migrations.replica.machine import Node
from collec_migrations.replica.primary_state import Primary

PATIENT = """
select set_config(name, '0', false) from pg_settings
where name in ('statement_timeout', 'lock_timeout', 'idle_session_timeout')
"""
"""The session waits for the end of the copy, whatever the site allows its users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is known before anything is touched."""

    order: Order
    primary: Primary
    system: str
    timeline: int
    node: Node
    target: Target
    upstream: Upstream
    obstacles: tuple[Obstacle, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The way to the primary, by the password file that the standby will use."""

    connection: Connection
    """In autocommit."""
    address: Address
    account: Account


@contextmanager
def connected(order: Order) -> Iterator[Source]:
    """Give the way to the primary; raise UsageError (password file) or ConnectionFailed."""
    account = machine.owner_of(order.data)
    address = order.address(clone_secret.password(order, account))
    with closing(database.connect(address)) as connection:
        connection.autocommit = True
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute(PATIENT)
        yield Source(connection=connection, address=address, account=account)


def read(source: Source, order: Order) -> Plan:
    """Return all that is known of a clone.

    Raises ManagedElsewhere when another program is in charge of the primary or the folder, and
    ServerFailed or ReplicationRefused when this machine lacks the primary's major.
    """
    managers.refuse(managers.on_server(source.connection), where=order.shown)
    managers.refuse(managers.by_rest(order.host), where=order.shown)
    primary = primary_state.read(source.connection)
    node = machine.node(order.data, primary.major, bin_dir=order.bin_dir)
    target = clone_target.read(node)
    managers.refuse(target.managers, where=str(order.data))
    with closing(database.connect_for_replication(source.address)) as session:
        system, timeline = _identified(session)
    here = Machine(
        system=platform.system(),
        architecture=platform.machine(),
        version=node.binaries.version,
    )
    obstacles = clone_checks.obstacles(order, primary, system, target, here)
    return Plan(
        order=order,
        primary=primary,
        system=system,
        timeline=timeline,
        node=node,
        target=target,
        upstream=order.upstream(clone_secret.where(order, source.account)),
        obstacles=obstacles,
        notes=(
            *clone_checks.notes(primary, target, here),
            *collations.notes(collations.of_primary(source.connection), collations.of_machine()),
        ),
    )


def _identified(session: Connection) -> tuple[str, int]:
    """Return system identifier and timeline of a server."""
    with session.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute("IDENTIFY_SYSTEM")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0]), int(row[1])
