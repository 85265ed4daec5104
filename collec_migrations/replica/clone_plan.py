"""Read all that a clone depends on, and decide whether it can be made; nothing is touched."""

import os
import platform
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

from psycopg2 import extensions

from collec_migrations.postgres import connection as database
from collec_migrations.postgres.connection import Connection
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.programs import Account
from collec_migrations.replica import (
    clone_checks,
    local_node,
    managers,
    primary_state,
    standby_config,
)
from collec_migrations.replica.clone_checks import CloneTarget, Machine, Obstacle
from collec_migrations.replica.local_node import LocalNode
from collec_migrations.replica.primary_state import Primary
from collec_migrations.replica.standby_config import StandbySpec, Upstream

COLLVERSION_SINCE = 150000  # pg_database.datcollversion
LIBC_VERSIONS = """
select distinct datcollversion from pg_database
where datlocprovider = 'c' and datcollversion is not null
"""


def primary_collations(connection: Connection) -> tuple[str, ...]:
    """Return the versions of the C library by which a primary sorts; none before 15, or for C."""
    if connection.server_version < COLLVERSION_SINCE:
        return ()
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(LIBC_VERSIONS)
        return tuple(str(version) for (version,) in cursor.fetchall())


def machine_collation() -> str:
    """Return the version of this machine's C library; nothing when it does not tell (musl)."""
    with suppress(ValueError, OSError):
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").rpartition(" ")[2]
    return ""


def collation_notes(primary: tuple[str, ...], machine: str) -> tuple[str, ...]:
    """Return what is to be known when they differ. Pure."""
    if not machine or not primary or primary == (machine,):
        return ()
    return (
        f"the primary sorts texts by version {', '.join(primary)} of the C library, this machine"
        f" has {machine}: queries on the standby may miss rows; use the same system release",
    )


PATIENT = """
select set_config(name, '0', false) from pg_settings
where name in ('statement_timeout', 'lock_timeout', 'idle_session_timeout')
"""
"""The session waits for the end of the copy, whatever the site allows its users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClonePlan:
    """What is known before anything is touched."""

    spec: StandbySpec
    primary: Primary
    system: str
    timeline: int
    node: LocalNode
    target: CloneTarget
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
def connected(spec: StandbySpec) -> Iterator[Source]:
    """Give the way to the primary; raise UsageError (password file) or ConnectionFailed."""
    account = local_node.owner_of(spec.data)
    address = spec.address(standby_config.password_of(spec, account))
    with closing(database.connect(address)) as connection:
        connection.autocommit = True
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute(PATIENT)
        yield Source(connection=connection, address=address, account=account)


def read_plan(source: Source, spec: StandbySpec) -> ClonePlan:
    """Return all that is known of a clone.

    Raises ManagedElsewhere when another program is in charge of the primary or the folder, and
    ServerFailed or ReplicationRefused when this machine lacks the primary's major.
    """
    managers.refuse(managers.on_server(source.connection), where=spec.shown)
    managers.refuse(managers.by_rest(spec.host), where=spec.shown)
    primary = primary_state.read_primary(source.connection)
    node = local_node.local_node(spec.data, primary.major, bin_dir=spec.bin_dir)
    target = clone_checks.read_target(node)
    managers.refuse(target.managers, where=str(spec.data))
    with closing(database.connect_for_replication(source.address)) as session:
        system, timeline = _identified(session)
    here = Machine(
        system=platform.system(),
        architecture=platform.machine(),
        version=node.binaries.version,
    )
    obstacles = clone_checks.obstacles(spec, primary, system, target, here)
    return ClonePlan(
        spec=spec,
        primary=primary,
        system=system,
        timeline=timeline,
        node=node,
        target=target,
        upstream=spec.upstream(standby_config.passfile_of(spec, source.account)),
        obstacles=obstacles,
        notes=(
            *clone_checks.notes(primary, target, here),
            *collation_notes(primary_collations(source.connection), machine_collation()),
        ),
    )


def _identified(session: Connection) -> tuple[str, int]:
    """Return system identifier and timeline of a server."""
    with session.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute("IDENTIFY_SYSTEM")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0]), int(row[1])
