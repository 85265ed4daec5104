"""Exchange the roles of a primary on this machine and of its standby, and lose nothing.

The primary stops cleanly; only when its standby is proved to have its last record is the standby
promoted. Whatever fails before that, the primary is started again.
"""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from psycopg2 import extensions

from collec_migrations.errors import (
    Level,
    MigrationError,
    Problem,
    PromotionUncertain,
    ReplicationFailed,
    ReplicationRefused,
)
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import pg_versions, signals
from collec_migrations.replica import (
    clone_plan,
    follow,
    health,
    local_node,
    managers,
    nodes,
    promotion,
    rejoin,
    standby_config,
    states,
    streaming,
)
from collec_migrations.replica.local_node import LocalNode as Machine
from collec_migrations.replica.nodes import NamedNode
from collec_migrations.replica.rejoin import RejoinRequest
from collec_migrations.replica.standby_config import StandbySpec
from collec_migrations.replica.states import Node, Report, Up

HINDERING = ("replay-paused", "parameters", "lag", "blind")
"""What a standby must not have, though it is not broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchoverPlan:
    """An exchange that may be done."""

    request: RejoinRequest
    """Of the primary on this machine."""
    primary: Up
    target: Up
    named: NamedNode
    """The standby that becomes the primary."""
    local: Machine
    spec: StandbySpec
    """How the present primary will follow."""
    others: tuple[str, ...]
    """Standbys that have to be pointed to the new primary."""


def plan_switchover(request: RejoinRequest, to: str | None) -> SwitchoverPlan:
    """Return what an exchange would do; raises ReplicationRefused with all that is in its way."""
    seen = nodes.read_nodes(request.nodes)
    primary = _primary(seen, request.name)
    target = _target(seen, request.name, to)
    data = request.data.resolve()
    local = local_node.node_at(data, standby_config.major_of(data), bin_dir=request.bin_dir)
    found = [*_obstacles(primary, target, local, health.report(seen))]
    found += [
        one
        for one in promotion.promotion_obstacles(target, seen, upstream_answers=True)
        if one.code != "primary"
    ]
    promotion.refuse_findings(found, "the roles are not exchanged")
    named = next(one for one in request.nodes if one.name == target.name)
    _may_promote(named)
    promotion.refuse_managed(named)
    managers.refuse(managers.in_folder(local.data), where=str(local.data))
    spec = rejoin.spec_for(request, target)
    with clone_plan.connected(spec) as source:  # it will be let in as a standby
        managers.refuse(managers.on_server(source.connection), where=spec.shown)
        streaming.identify(source.address)
    names = {one.name for one in request.nodes}
    return SwitchoverPlan(
        request=request,
        primary=primary,
        target=target,
        named=named,
        local=local,
        spec=spec,
        others=tuple(sorted(names - {primary.name, target.name})),
    )


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


def _obstacles(primary: Up, target: Up, local: Machine, report: Report) -> list[Problem]:
    found = [
        one
        for one in report.node(target.name).findings
        if one.level is Level.ERROR or one.code in HINDERING
    ]
    told = primary.settings.get("data_directory", str(local.data))
    if not local_node.is_running(local) or Path(told).resolve() != local.data:
        found.append(
            Problem(
                code="elsewhere",
                message=f"{primary.name} does not run on {local.data}, but on {told}",
                hint="Run this on the primary's machine, and give its data folder.",
            )
        )
    if pg_versions.text("sql_promote", target.major) is None:
        found.append(
            Problem(
                code="too-old",
                message=f"PostgreSQL {target.major} cannot be promoted from another machine",
                hint="Follow the runbook (`replica status --report FILE`), section 4.",
            )
        )
    return found


def _may_promote(named: NamedNode) -> None:
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


Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchover:
    """What an exchange came to."""

    promoted: promotion.Promotion
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


def switch_over(plan: SwitchoverPlan, *, say: Say) -> Switchover:
    """Exchange the roles.

    Raises ReplicationFailed: with the former primary running again when the standby was not
    promoted, or saying what to do when it was.
    """
    say(f"stopping {plan.primary.name}")
    _checkpoint(plan)
    began = time.monotonic()
    before = follow.read_markers(plan.local)
    try:
        with signals.raised():
            local_node.stop(plan.local)
            stopped_at, had = _proved(plan)
        say(
            f"{plan.target.name} has all: {states.lsn_text(had)}, "
            f"stopped at {states.lsn_text(stopped_at)}"
        )
        # From here on a signal must not leave it open which of the two is the primary.
        with signals.ignored():
            follow.mark_as_standby(plan.local, plan.spec)
            promoted = promotion.promote(_promotion(plan), say=say)
    except PromotionUncertain as error:
        raise error.ended(f"{plan.primary.name} is stopped") from error
    except MigrationError as error:
        with signals.ignored():
            say(f"starting {plan.primary.name} again")
            local_node.stop(plan.local)  # when a signal came, it may still be stopping
            follow.write_markers(plan.local, before)
            local_node.start(plan.local)
        raise error.ended(f"{plan.primary.name} is the primary as before") from error
    away = time.monotonic() - began
    left = (*promoted.left, *_followed(plan, say))
    return Switchover(promoted=promoted, stopped_at=stopped_at, had=had, away=away, left=left)


def _checkpoint(plan: SwitchoverPlan) -> None:
    """Write a checkpoint while all still work, so that the stop is short."""
    own = next(one for one in plan.request.nodes if one.name == plan.primary.name)
    with suppress(MigrationError, database.Error), closing(database.connect(own.address)) as link:
        link.autocommit = True
        with link.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute("checkpoint")


def _proved(plan: SwitchoverPlan) -> tuple[int, int]:
    """Return where the primary stopped and what the standby has, which is more; or raise."""
    folder = follow.folder_of(follow.control_data(plan.local))
    if folder.state != "shut down":
        raise ReplicationFailed(f"{plan.primary.name} did not shut down: {folder.state}")
    deadline = time.monotonic() + plan.request.patience
    while time.monotonic() < deadline:
        now = nodes.read_node(plan.named)
        # The last record begins at folder.position: who has more than that has it.
        if isinstance(now, Up) and min(now.end or 0, now.replayed or 0) > folder.position:
            return folder.position, now.replayed or 0
        time.sleep(0.05)
    raise ReplicationFailed(
        f"{plan.target.name} did not get the last record, at {states.lsn_text(folder.position)}",
        hint="See `replica status`; nothing is lost.",
    )


def _promotion(plan: SwitchoverPlan) -> promotion.PromotionPlan:
    return promotion.PromotionPlan(
        target=plan.target,
        named=plan.named,
        local=None,
        slots=(plan.spec.slot, *map(standby_config.slot_of, plan.others)),
        overruled=(),
        notes=(),
    )


def _followed(plan: SwitchoverPlan, say: Say) -> tuple[str, ...]:
    """Let the former primary follow; return what is left to be done by hand."""
    retry = f"run `replica rejoin --data {plan.spec.data}`"
    now = nodes.read_node(plan.named)
    if not isinstance(now, Up):
        return (f"{plan.target.name} does not answer: {retry} when it does",)
    try:
        follow.begin(plan.local, plan.spec, now, say=say)
    except MigrationError as error:
        return (f"{plan.primary.name} does not follow yet ({error}): {retry}",)
    own = next(one for one in plan.request.nodes if one.name == plan.primary.name)
    names = [standby_config.slot_of(one.name) for one in plan.request.nodes]
    _, left = follow.drop_stale_slots(own, names)
    return left
