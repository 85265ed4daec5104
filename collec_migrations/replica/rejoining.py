"""A former primary, or a standby of it, comes back as a standby of the new primary.

As it is where that is safe, else by pg_rewind, else as a new clone; never started before it is
marked as a standby.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from collec_migrations.errors import CloneInProgress, ServerFailed
from collec_migrations.postgres import pg_versions, signals
from collec_migrations.replica import (
    attaching,
    clone,
    clone_reading,
    configuration,
    following,
    machine,
    protocol,
    rewinding,
    slots,
)
from collec_migrations.replica.attaching import Way
from collec_migrations.replica.machine import Node as Machine
from collec_migrations.replica.rejoin_plan import Plan

Say = Callable[[str], None]


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


def rejoin(plan: Plan, *, say: Say) -> Done:
    """Bring a folder back as a plan says.

    Raises MigrationError when it does not come back; it can then start as a standby, or not at
    all, never as a second primary.
    """
    with _alone(plan.order.data):
        return _rejoined(plan, say)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Keep another rejoin of the same folder out; the lock ends with this process.

    Raises CloneInProgress. Beside the folder, which is renamed on the way.
    """
    path = data.with_name(f".{data.name}.rejoin-lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
        path.unlink(missing_ok=True)
    except BlockingIOError:
        raise CloneInProgress(
            f"another rejoin of {data} is at work", hint="Wait for its end."
        ) from None
    finally:
        os.close(descriptor)


def _rejoined(plan: Plan, say: Say) -> Done:
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
    if pg_versions.text("pg_rewind", local.major) is None:
        return _clone(plan, local, say)
    rewinding.check_access(local, plan.order)
    return _rewind(replace(plan, local=local, killed=False), say)


def _rewind(plan: Plan, say: Say) -> Done:
    data, local = plan.order.data, plan.local
    # A program that works on the folder must not be left behind by a signal.
    with signals.ignored():
        if local.data == data:
            if plan.killed:
                say("it was killed: recovering it first, alone")
                rewinding.recover(local)
            local = rewinding.fence(local)
        say(f"rewinding {data} to the history of {plan.primary.name}")
        try:
            rewinding.rewind(local, plan.order)
            is_rewound = True
        except ServerFailed as error:
            say(f"it cannot be rewound: {error} ({error.hint})")
            is_rewound = False
        local = _placed(plan, local)
    if is_rewound and following.tried(local, plan.order, plan.primary, say=say):
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
