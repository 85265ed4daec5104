"""A former primary, or a standby of it, comes back as a standby of the new primary.

As it is where that is safe, else by pg_rewind, else as a new clone; never started before it is
marked as a standby.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.replication import (
    accounts,
    attaching,
    clone,
    clone_order,
    clone_reading,
    clone_target,
    configuration,
    following,
    health,
    machine,
    managers,
    node,
    protocol,
    rewinding,
    slots,
)
from collec_migrations.replication.attaching import Choice, Way
from collec_migrations.replication.clone_order import Order
from collec_migrations.replication.clone_target import Target
from collec_migrations.replication.faults import ReplicationRefused
from collec_migrations.replication.findings import Verdict
from collec_migrations.replication.machine import Node as Machine
from collec_migrations.replication.nodes import Named
from collec_migrations.replication.states import Node, Up

Say = Callable[[str], None]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How it came back."""

    way: Way | None
    timeline: int
    dropped: tuple[str, ...]
    """Slots that it had as a primary."""
    left: tuple[str, ...]
    """What is to be done by hand."""
    aside: Path | None = None
    """Where the former folder is, after a clone."""


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
    target = clone_target.read(local)
    managers.refuse(target.managers, where=str(wish.data))
    _refuse_others(target, primary, itself)
    with clone_reading.connected(order) as source:
        managers.refuse(managers.on_server(source.connection), where=order.shown)
        identity = protocol.identify(source.address)
    folder = attaching.stopped(
        attaching.folder(rewinding.control_data(local)), itself if target.running else None
    )
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
        choice=None if target.running and _follows(itself, primary) else choice,
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


def rejoin(plan: Plan, *, say: Say) -> Done:
    """Bring a folder back as a plan says.

    Raises MigrationError when it does not come back; it can then start as a standby, or not at
    all, never as a second primary.
    """
    if plan.choice is None:
        return _done(plan, None)
    if plan.running:
        say(f"stopping the server in {plan.local.data}")
        machine.stop(plan.local)
    way = plan.choice.way
    if plan.running and way is Way.ATTACH:
        way = _decided(plan)  # what it wrote until it stopped counts as well
    if way is Way.REWIND:
        return _rewind(plan, say)
    local = _placed(plan, plan.local)
    return _attach(plan, local, say) if way is Way.ATTACH else _clone(plan, local, say)


def _decided(plan: Plan) -> Way:
    with clone_reading.connected(plan.order) as source:
        identity = protocol.identify(source.address)
    return attaching.choose(attaching.folder(rewinding.control_data(plan.local)), identity).way


def _attach(plan: Plan, local: Machine, say: Say) -> Done:
    if following.tried(local, plan.order, plan.primary, say=say):
        return _done(plan, Way.ATTACH)
    return _rewind(replace(plan, local=local, killed=False), say)


def _rewind(plan: Plan, say: Say) -> Done:
    data, local = plan.order.data, plan.local
    if local.data == data:
        if plan.killed:
            say("it was killed: recovering it first, alone")
            rewinding.recover(local)
        local = rewinding.fence(local)
    say(f"rewinding {data} to the history of {plan.primary.name}")
    try:
        rewinding.rewind(local, plan.order)
    except ServerFailed as error:
        say(f"it cannot be rewound: {error} ({error.hint})")
        return _clone(plan, _placed(plan, local), say)
    local = _placed(plan, local)
    if following.tried(local, plan.order, plan.primary, say=say):
        return _done(plan, Way.REWIND)
    return _clone(plan, local, say)


def _placed(plan: Plan, local: Machine) -> Machine:
    """Give a fenced folder its configuration and its name again, marked as a standby."""
    if local.data == plan.order.data:
        return local
    rewinding.restore(local, plan.order.data)
    following.mark(local, plan.order)
    return rewinding.unfence(local, plan.order.data)


def _clone(plan: Plan, local: Machine, say: Say) -> Done:
    """Clone anew; the old folder, marked as a standby, is moved aside only when that is done."""
    following.mark(local, plan.order)
    say("cloning it anew")
    with clone_reading.connected(plan.order) as source:
        slots.drop(source.connection, plan.order.slot)
    port = machine.setting(local, "port")
    listen = machine.setting(local, "listen_addresses")
    order = replace(plan.order, own_port=int(port), own_listen=listen, replace=True)
    done = clone.make(order, say=say, advance=lambda _done, _total: None)
    return replace(_done(plan, Way.CLONE), aside=done.aside)


def _done(plan: Plan, way: Way | None) -> Done:
    named = next((one for one in plan.wish.nodes if one.name == plan.wish.name), None)
    dropped: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    if named is not None:
        names = [configuration.slot_of(one.name) for one in plan.wish.nodes]
        dropped, left = following.drop_stale(named, names)
    return Done(way=way, timeline=plan.primary.timeline or 0, dropped=dropped, left=left)


def _local(wish: Wish) -> Machine:
    """Return the folder, which an interrupted rejoin may have left under its other name."""
    data = wish.data.resolve()
    away = rewinding.fenced_path(data)
    if os.path.lexists(away) and not os.path.lexists(data):
        return machine.node(away, configuration.major_of(away), bin_dir=wish.bin_dir)
    return machine.node(data, configuration.major_of(data), bin_dir=wish.bin_dir)
