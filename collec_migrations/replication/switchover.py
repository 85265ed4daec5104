"""Exchange the roles of a primary on this machine and of its standby, and lose nothing.

The primary stops cleanly; only when its standby is proved to have its last record is the standby
promoted. Whatever fails before that, the primary is started again.
"""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

from psycopg2 import extensions

from collec_migrations import majors
from collec_migrations.database import connection as database
from collec_migrations.errors import MigrationError
from collec_migrations.replacing import signals
from collec_migrations.replication import (
    attaching,
    candidates,
    clone_reading,
    configuration,
    following,
    health,
    lsn,
    machine,
    managers,
    marking,
    node,
    promotion,
    protocol,
    rejoining,
    rewinding,
)
from collec_migrations.replication.clone_order import Order
from collec_migrations.replication.faults import ReplicationFailed, ReplicationRefused
from collec_migrations.replication.findings import Finding, Report, Verdict
from collec_migrations.replication.machine import Node as Machine
from collec_migrations.replication.nodes import Named
from collec_migrations.replication.promotion import PromotionUncertain
from collec_migrations.replication.rejoining import Wish
from collec_migrations.replication.states import Node, Up

Say = Callable[[str], None]
HINDERING = ("replay-paused", "parameters", "lag", "blind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An exchange that may be done."""

    wish: Wish
    """Of the primary on this machine."""
    primary: Up
    target: Up
    named: Named
    """The standby that becomes the primary."""
    local: Machine
    order: Order
    """How the present primary will follow."""
    others: tuple[str, ...]
    """Standbys that have to be pointed to the new primary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an exchange came to."""

    promoted: promotion.Done
    stopped_at: int
    """The last record that the former primary wrote begins here."""
    had: int
    """What the standby had when it was promoted."""
    away: float
    """Seconds without a primary."""
    left: tuple[str, ...]

    @property
    def lost(self) -> int:
        """Bytes that the former primary wrote and the new one does not have."""
        return max(0, self.stopped_at - self.had)


def plan(wish: Wish, to: str | None) -> Plan:
    """Return what an exchange would do; raises ReplicationRefused with all that is in its way."""
    seen = node.read_all(wish.nodes)
    primary = _primary(seen, wish.name)
    target = _target(seen, wish.name, to)
    local = machine.node(wish.data, configuration.major_of(wish.data), bin_dir=wish.bin_dir)
    found = [*_obstacles(primary, target, local, health.report(seen))]
    found += [
        one
        for one in candidates.obstacles(target, seen, upstream_speaks=True)
        if one.code != "primary"
    ]
    promotion.refuse(found, "the roles are not exchanged")
    named = next(one for one in wish.nodes if one.name == target.name)
    _may_promote(named)
    managers.refuse(managers.in_folder(local.data), where=str(local.data))
    order = rejoining.order_for(wish, target)
    with clone_reading.connected(order) as source:  # it will be let in as a standby
        managers.refuse(managers.on_server(source.connection), where=order.shown)
        protocol.identify(source.address)
    names = {one.name for one in wish.nodes}
    return Plan(
        wish=wish,
        primary=primary,
        target=target,
        named=named,
        local=local,
        order=order,
        others=tuple(sorted(names - {primary.name, target.name})),
    )


def switch(plan: Plan, *, say: Say) -> Done:
    """Exchange the roles.

    Raises ReplicationFailed: with the former primary running again when the standby was not
    promoted, or saying what to do when it was.
    """
    say(f"stopping {plan.primary.name}")
    _checkpoint(plan)
    began = time.monotonic()
    before = marking.read(plan.local)
    try:
        with signals.raised():
            machine.stop(plan.local)
            stopped_at, had = _proved(plan)
        say(f"{plan.target.name} has all: {lsn.shown(had)}, stopped at {lsn.shown(stopped_at)}")
        # From here on a signal must not leave it open which of the two is the primary.
        with signals.ignored():
            following.mark(plan.local, plan.order)
            promoted = promotion.promote(_promotion(plan), say=say)
    except PromotionUncertain as error:
        raise error.ended(f"{plan.primary.name} is stopped") from error
    except MigrationError as error:
        say(f"starting {plan.primary.name} again")
        marking.write(plan.local, before)
        machine.start(plan.local)
        raise error.ended(f"{plan.primary.name} is the primary as before") from error
    away = time.monotonic() - began
    left = (*promoted.left, *_followed(plan, say))
    return Done(promoted=promoted, stopped_at=stopped_at, had=had, away=away, left=left)


def _primary(seen: tuple[Node, ...], name: str) -> Up:
    found = health.primaries(seen)
    if len(found) == 1 and found[0].name == name:
        return found[0]
    names = ", ".join(one.name for one in found) or "no node"
    raise ReplicationRefused(
        f"{name} is not the one primary: {names} is",
        hint="Run this on the primary's machine, with its --name; see `replica status`.",
    )


def _target(seen: tuple[Node, ...], name: str, to: str | None) -> Up:
    found = [one for one in seen if isinstance(one, Up) and one.in_recovery]
    chosen = [one for one in found if to in (None, one.name)]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(one.name for one in found) or "none"
    raise ReplicationRefused(
        f"the standby to promote is not clear: {names} answer beside {name}"
        if to is None
        else f"{to} is not a standby that answers: {names}",
        hint="Name it with --to.",
    )


def _obstacles(primary: Up, target: Up, local: Machine, report: Report) -> list[Finding]:
    found = [
        one
        for one in report.node(target.name).findings
        if one.verdict is Verdict.BROKEN or one.code in HINDERING
    ]
    told = primary.settings.get("data_directory", str(local.data))
    if not machine.is_running(local) or told != str(local.data):
        found.append(
            Finding(
                code="elsewhere",
                verdict=Verdict.BROKEN,
                line=f"{primary.name} does not run on {local.data}, but on {told}",
                hint="Run this on the primary's machine, and give its data folder.",
            )
        )
    if majors.text("sql_promote", target.major) is None:
        found.append(
            Finding(
                code="too-old",
                verdict=Verdict.BROKEN,
                line=f"PostgreSQL {target.major} cannot be promoted from another machine",
                hint="Follow `replica runbook`, section Switch roles.",
            )
        )
    return found


def _may_promote(named: Named) -> None:
    """Refuse before anything is stopped when the role may not promote."""
    query = "select has_function_privilege('pg_promote(boolean, integer)', 'execute')"
    with closing(database.connect(named.address)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        if cursor.fetchone() != (True,):
            raise ReplicationRefused(
                f"this role may not promote {named.name}",
                hint="Let the node's address name a superuser, or grant execute on function "
                "pg_promote.",
            )


def _checkpoint(plan: Plan) -> None:
    """Write a checkpoint while all still work, so that the stop is short."""
    own = next(one for one in plan.wish.nodes if one.name == plan.primary.name)
    with suppress(MigrationError, database.Error), closing(database.connect(own.address)) as link:
        link.autocommit = True
        with link.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute("checkpoint")


def _proved(plan: Plan) -> tuple[int, int]:
    """Return where the primary stopped and what the standby has, which is more; or raise."""
    folder = attaching.folder(rewinding.control_data(plan.local))
    if folder.state != "shut down":
        raise ReplicationFailed(f"{plan.primary.name} did not shut down: {folder.state}")
    deadline = time.monotonic() + plan.wish.patience
    while time.monotonic() < deadline:
        now = node.read(plan.named)
        # The last record begins at folder.position: who has more than that has it.
        if isinstance(now, Up) and min(now.end or 0, now.replayed or 0) > folder.position:
            return folder.position, now.replayed or 0
        time.sleep(0.05)
    raise ReplicationFailed(
        f"{plan.target.name} did not get the last record, at {lsn.shown(folder.position)}",
        hint="See `replica status`; nothing is lost.",
    )


def _promotion(plan: Plan) -> promotion.Plan:
    return promotion.Plan(
        target=plan.target,
        named=plan.named,
        local=None,
        slots=(plan.order.slot, *map(configuration.slot_of, plan.others)),
        overruled=(),
        notes=(),
    )


def _followed(plan: Plan, say: Say) -> tuple[str, ...]:
    """Let the former primary follow; return what is left to be done by hand."""
    retry = f"run `replica rejoin --data {plan.order.data}`"
    now = node.read(plan.named)
    if not isinstance(now, Up):
        return (f"{plan.target.name} does not answer: {retry} when it does",)
    try:
        following.begin(plan.local, plan.order, now, say=say)
    except MigrationError as error:
        return (f"{plan.primary.name} does not follow yet ({error}): {retry}",)
    own = next(one for one in plan.wish.nodes if one.name == plan.primary.name)
    return following.drop_stale(own, [configuration.slot_of(one.name) for one in plan.wish.nodes])[
        1
    ]
