"""Make a standby the primary: promote, wait, and make ready for those who come back."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg2
from psycopg2 import extensions

from collec_migrations.errors import (
    MigrationError,
    PromotionUncertain,
    ReplicationFailed,
    ReplicationRefused,
    ServerFailed,
)
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import pg_versions
from collec_migrations.postgres.connection import Connection, first_line, translated
from collec_migrations.replica import node, slots
from collec_migrations.replica.promote_plan import Plan
from collec_migrations.replica.states import Up

Say = Callable[[str], None]
SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A new primary."""

    name: str
    host: str
    port: int
    timeline: int | None
    position: int | None
    seconds: float
    """From the order until it took writes."""
    left: tuple[str, ...]
    """What could not be made ready, each with what to do."""


def promote(plan: Plan, *, say: Say) -> Done:
    """Promote the standby of a plan.

    Raises ReplicationFailed when it did not become a primary; what fails afterwards is told in
    `left`, since there is no way back.
    """
    with (
        translated(ReplicationFailed, f"{plan.target.name} was not promoted"),
        closing(database.connect(plan.named.address)) as connection,
    ):
        connection.autocommit = True
        began = time.monotonic()
        _promote(connection, plan)
        seconds = time.monotonic() - began
        say(f"{plan.target.name} is the primary, after {seconds:.1f} s")
        left = [*_checkpointed(connection, plan.target.major), *_ready(connection, plan.slots)]
    now = node.read(plan.named)
    return Done(
        name=plan.target.name,
        host=plan.named.host,
        port=plan.named.port,
        timeline=now.timeline if isinstance(now, Up) else None,
        position=now.position if isinstance(now, Up) else None,
        seconds=seconds,
        left=tuple(left),
    )


def _promote(connection: Connection, plan: Plan) -> None:
    name = plan.target.name
    try:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            if pg_versions.text("sql_promote", plan.target.major) is None:
                assert plan.local is not None
                plan.local.run("pg_ctl", "-D", plan.local.data, "promote")
            else:
                cursor.execute("select pg_promote(true, %s)", (SECONDS,))
            _wait(cursor, name)
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise PromotionUncertain(
            f"{name} was lost while it was promoted: {first_line(error)}",
            hint="It may be a primary: see `replica status` before you start another one.",
        ) from error
    except (psycopg2.Error, ServerFailed) as error:
        raise ReplicationFailed(
            f"{name} was not promoted: {first_line(error)}",
            hint="Look at its log and at `replica status` before you try again.",
        ) from error


def _wait(cursor: extensions.cursor, name: str) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        cursor.execute("select pg_is_in_recovery()")
        if cursor.fetchone() == (False,):
            return
        time.sleep(0.05)
    raise PromotionUncertain(
        f"{name} is still a standby after {SECONDS} s",
        hint="It may still become a primary: see its log, and `replica status`.",
    )


def _checkpointed(connection: Connection, major: str) -> list[str]:
    """Write a checkpoint where pg_rewind would else look at the old timeline (up to 15)."""
    if not pg_versions.holds("rewind_needs_checkpoint_after_promote", major):
        return []
    try:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute("checkpoint")
    except psycopg2.Error as error:
        return [f"no checkpoint was made ({first_line(error)}): run CHECKPOINT as a superuser"]
    return []


def _ready(connection: Connection, names: Sequence[str]) -> list[str]:
    """Make the slots of those who come back."""
    left = []
    for name in names:
        try:
            slots.create(connection, name)
        except ReplicationRefused:  # it is there already
            continue
        except MigrationError as error:
            left.append(f"{error}: run select pg_create_physical_replication_slot('{name}')")
    return left
