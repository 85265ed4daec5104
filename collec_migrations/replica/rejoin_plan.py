"""How a former primary, or a standby of it, may come back; nothing is touched here."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from collec_migrations.errors import ReplicationRefused
from collec_migrations.replica import (
    accounts,
    attaching,
    clone_order,
    clone_reading,
    clone_target,
    configuration,
    health,
    machine,
    managers,
    node,
    protocol,
    rewinding,
)
from collec_migrations.replica.attaching import Choice, Way
from collec_migrations.replica.clone_order import Order
from collec_migrations.replica.clone_target import Target
from collec_migrations.replica.findings import Verdict
from collec_migrations.replica.machine import Node as Machine
from collec_migrations.replica.nodes import Named
from collec_migrations.replica.states import Node, Up


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who is to come back, and how it is let in by the primary."""

    nodes: tuple[Named, ...]
    name: str
    data: Path
    passfile: Path | None = None
    bin_dir: Path | None = None
    patience: float = 60.0
    """Seconds until it has to stream once it was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How it is to come back."""

    wish: Wish
    order: Order
    primary: Up
    local: Machine
    """Its folder, under the name that it has at this moment."""
    running: bool
    writes: bool
    """Whether it runs as a second primary at this moment."""
    choice: Choice | None
    """None: it follows the primary already."""
    killed: bool


def plan(wish: Wish) -> Plan:
    """Return how a folder may come back; nothing is touched.

    Raises ReplicationRefused when it may not: no single primary, another program in charge, the
    primary does not let it in, or it is newer than the primary.
    """
    seen = node.read_all(wish.nodes)
    primary = primary_for(wish.name, seen)
    itself = next((one for one in seen if one.name == wish.name and isinstance(one, Up)), None)
    order = order_for(wish, primary)
    local = _local(wish)
    rewinding.refuse_at_work(local)
    target = clone_target.read(local)
    managers.refuse(target.managers, where=str(wish.data))
    _refuse_others(target, primary, itself)
    managers.refuse(managers.by_rest(order.host), where=order.shown)
    with clone_reading.connected(order) as source:
        managers.refuse(managers.on_server(source.connection), where=order.shown)
        identity = protocol.identify(source.address)
    folder = attaching.stopped(
        attaching.folder(rewinding.control_data(local)), itself if target.running else None
    )
    choice = None
    if not (target.running and _follows(itself, primary)):
        choice = attaching.choose(folder, identity)
        choice = attaching.feasible(choice, primary.slot(order.slot), local.major)
        if choice.way is Way.REWIND:
            rewinding.check_access(local, order)
    return Plan(
        wish=wish,
        order=order,
        primary=primary,
        local=local,
        running=target.running,
        writes=target.running and itself is not None and not itself.in_recovery,
        choice=choice,
        killed=folder.was_killed,
    )


def _follows(itself: Up | None, primary: Up) -> bool:
    if itself is None or not itself.in_recovery:
        return False
    return health.report([primary, itself]).node(itself.name).verdict != Verdict.BROKEN


def _refuse_others(target: Target, primary: Up, itself: Up | None) -> None:
    """Refuse the folder of another node, and of all the primary's: it would be stopped."""
    at_once = target.started is not None and abs(target.started - primary.began) <= 1
    if at_once and target.port == primary.number("port"):
        raise ReplicationRefused(
            f"{target.data} is the folder of the primary, {primary.name}",
            hint="Run this on the machine of the node that is to come back.",
        )
    told = itself.settings.get("data_directory") if itself else None
    if itself and told and Path(told).resolve() != target.data:
        raise ReplicationRefused(
            f"{itself.name} runs on {told}, and not on {target.data}",
            hint="Give the folder and the --name of the same node.",
        )


def primary_for(name: str, seen: Sequence[Node]) -> Up:
    """Return the primary that a node is to follow: the only other one that takes writes."""
    found = [one for one in health.primaries(seen) if one.name != name]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ReplicationRefused(
            f"no node but {name} is a primary",
            hint="Promote one first: `replica promote`; see `replica status`.",
        )
    raise ReplicationRefused(
        "several nodes take writes: " + ", ".join(one.name for one in found),
        hint="Decide which is the right one, and stop the others first.",
    )


def order_for(wish: Wish, primary: Up) -> Order:
    """Return what a standby of this machine is to be."""
    address = next(one.address for one in wish.nodes if one.name == primary.name)
    made = clone_order.order(address.dsn, wish.data, name=wish.name, passfile=wish.passfile)
    # The site's own role reads the state; a standby comes in as the one made for it.
    return replace(made, user=accounts.REP, bin_dir=wish.bin_dir, patience=wish.patience)


def _local(wish: Wish) -> Machine:
    """Return the folder, which an interrupted rejoin may have left under its other name."""
    data = wish.data.resolve()
    away = rewinding.fenced_path(data)
    if os.path.lexists(away) and not os.path.lexists(data):
        return machine.node(away, configuration.major_of(away), bin_dir=wish.bin_dir)
    return machine.node(data, configuration.major_of(data), bin_dir=wish.bin_dir)
