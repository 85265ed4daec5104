"""May a primary on this machine and its standby exchange their roles? Nothing is touched here."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import ReplicationRefused
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import pg_versions
from collec_migrations.replica import (
    candidates,
    clone_reading,
    configuration,
    health,
    machine,
    managers,
    node,
    promote_plan,
    protocol,
    rejoin_plan,
)
from collec_migrations.replica.clone_order import Order
from collec_migrations.replica.findings import Finding, Report, Verdict
from collec_migrations.replica.machine import Node as Machine
from collec_migrations.replica.nodes import Named
from collec_migrations.replica.rejoin_plan import Wish
from collec_migrations.replica.states import Node, Up

HINDERING = ("replay-paused", "parameters", "lag", "blind")
"""What a standby must not have, though it is not broken."""


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


def plan(wish: Wish, to: str | None) -> Plan:
    """Return what an exchange would do; raises ReplicationRefused with all that is in its way."""
    seen = node.read_all(wish.nodes)
    primary = _primary(seen, wish.name)
    target = _target(seen, wish.name, to)
    data = wish.data.resolve()
    local = machine.node(data, configuration.major_of(data), bin_dir=wish.bin_dir)
    found = [*_obstacles(primary, target, local, health.report(seen))]
    found += [
        one
        for one in candidates.obstacles(target, seen, upstream_speaks=True)
        if one.code != "primary"
    ]
    promote_plan.refuse(found, "the roles are not exchanged")
    named = next(one for one in wish.nodes if one.name == target.name)
    _may_promote(named)
    promote_plan.refuse_managed(named)
    managers.refuse(managers.in_folder(local.data), where=str(local.data))
    order = rejoin_plan.order_for(wish, target)
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
    if not machine.is_running(local) or Path(told).resolve() != local.data:
        found.append(
            Finding(
                code="elsewhere",
                verdict=Verdict.BROKEN,
                line=f"{primary.name} does not run on {local.data}, but on {told}",
                hint="Run this on the primary's machine, and give its data folder.",
            )
        )
    if pg_versions.text("sql_promote", target.major) is None:
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
