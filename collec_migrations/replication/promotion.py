"""Make a standby the primary: decide, promote, wait, and make ready for those who come back."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg2
from psycopg2 import extensions

from collec_migrations import majors
from collec_migrations.database import connection as database
from collec_migrations.database.connection import Connection, first_line
from collec_migrations.errors import MigrationError, ServerFailed
from collec_migrations.replication import (
    answering,
    candidates,
    configuration,
    managers,
    node,
    slots,
)
from collec_migrations.replication.faults import ReplicationFailed, ReplicationRefused, translated
from collec_migrations.replication.findings import Finding
from collec_migrations.replication.machine import Node as Machine
from collec_migrations.replication.nodes import Named
from collec_migrations.replication.states import Node, Up

Say = Callable[[str], None]
SECONDS = 60


class PromotionUncertain(ReplicationFailed):
    """A standby was told to become a primary, and it is not known whether it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A promotion that may be done."""

    target: Up
    named: Named
    local: Machine | None
    """The standby's folder on this machine; needed before 12, which has no pg_promote()."""
    slots: tuple[str, ...]
    """To be made for the nodes that come back."""
    overruled: tuple[Finding, ...]
    notes: tuple[str, ...]


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


def plan(
    nodes: Sequence[Named], name: str | None, *, local: Machine | None = None, force: bool = False
) -> Plan:
    """Return what a promotion would do; raise ReplicationRefused with all that is in its way."""
    seen = node.read_all(nodes)
    target = _target(seen, name)
    upstream = target.upstream
    speaks = (
        bool(upstream) and answering.speaks(*upstream, patience=node.PATIENCE)
        if upstream
        else False
    )
    found = list(candidates.obstacles(target, seen, upstream_speaks=speaks))
    overruled = [one for one in found if force and one.code == "primary"]
    refuse([one for one in found if one not in overruled], f"{target.name} is not promoted")
    if majors.text("sql_promote", target.major) is None and local is None:
        raise ReplicationRefused(
            f"PostgreSQL {target.major} is promoted on its own machine",
            hint=f"Run this on the machine of {target.name}, with --data and its data folder.",
        )
    named = next(one for one in nodes if one.name == target.name)
    return Plan(
        target=target,
        named=named,
        local=local,
        slots=tuple(configuration.slot_of(one.name) for one in nodes if one is not named),
        overruled=tuple(overruled),
        notes=tuple(candidates.notes(target, seen)),
    )


def refuse(found: Sequence[Finding], what: str) -> None:
    """Raise ReplicationRefused with all obstacles, when there are any."""
    if found:
        raise ReplicationRefused(
            "\n".join((f"{what}:", *(f"  {one.line}" for one in found))),
            hint="\n      ".join(dict.fromkeys(one.hint for one in found if one.hint)),
        )


def promote(plan: Plan, *, say: Say) -> Done:
    """Promote the standby of a plan.

    Raises ReplicationFailed when it did not become a primary; what fails afterwards is told in
    `left`, since there is no way back.
    """
    with (
        translated(f"{plan.target.name} was not promoted"),
        closing(database.connect(plan.named.address)) as connection,
    ):
        connection.autocommit = True
        managers.refuse(managers.on_server(connection), where=plan.target.name)
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


def _target(seen: Sequence[Node], name: str | None) -> Up:
    """Return the standby to promote: the named one, else the only one that answers."""
    up = [one for one in seen if isinstance(one, Up)]
    if name is not None:
        for one in up:
            if one.name == name:
                return one
        raise ReplicationRefused(f"{name} does not answer", hint="See `replica status`.")
    found = [one for one in up if one.in_recovery]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in found)
    raise ReplicationRefused(
        f"{len(found)} standbys answer: {names}" if found else "no standby answers",
        hint="Name the one to promote; the others are compared with it."
        if found
        else "See `replica status`.",
    )


def _promote(connection: Connection, plan: Plan) -> None:
    name = plan.target.name
    try:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            if majors.text("sql_promote", plan.target.major) is None:
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
    if not majors.holds("rewind_needs_checkpoint_after_promote", major):
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
