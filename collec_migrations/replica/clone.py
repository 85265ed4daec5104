"""Make a standby: copy, prove, configure, start, wait until it streams; or leave nothing behind."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic

from collec_migrations.errors import ReplicationFailed, ReplicationRefused
from collec_migrations.postgres import programs, signals
from collec_migrations.postgres.connection import Connection, translated
from collec_migrations.postgres.sizes import Advance
from collec_migrations.replica import (
    basebackup,
    clone_journal,
    clone_reading,
    clone_slot,
    configuration,
    guarded,
    machine,
    streaming,
    wal,
)
from collec_migrations.replica.clone_journal import Journal
from collec_migrations.replica.clone_order import Order
from collec_migrations.replica.clone_reading import Plan
from collec_migrations.replica.clone_target import Kind
from collec_migrations.replica.machine import Node
from collec_migrations.replica.streaming import Goal
from collec_migrations.replica.undoing import undone_on_failure

Say = Callable[[str], None]
FAILED = "the clone could not be made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A standby that streams."""

    plan: Plan
    aside: Path | None
    """Where the folder that was there has gone."""
    raised: tuple[str, ...]
    """Settings that the standby has higher than its files say, as the primary has them."""
    asked: bool
    """Whether the standby itself told that it receives; else only its slot did."""
    seconds: float


def plan(order: Order) -> Plan:
    """Return what a clone would be, and all that is in its way; touches nothing."""
    with translated(ReplicationFailed, FAILED), clone_reading.connected(order) as source:
        return clone_reading.read(source, order)


def make(order: Order, *, say: Say, advance: Advance) -> Done:
    """Make a standby that streams.

    Raises ReplicationRefused with all that is in the way before anything is touched; on any
    failure, and on a signal, what was made is gone again: the copy, the slot, the server; a folder
    that was moved aside is back.
    """
    began = monotonic()
    with (
        translated(ReplicationFailed, FAILED),
        signals.raised(),
        clone_journal.opened(order) as journal,
        clone_reading.connected(order) as source,
    ):
        if clone_journal.clear(
            journal, order, lambda begun: clone_slot.drop_left(source, begun, order)
        ):
            say("cleared what a killed run had left")
        found = clone_reading.read(source, order)
        _refuse(found)
        return _made(found, source.connection, journal, began, say=say, advance=advance)


def _made(
    found: Plan,
    connection: Connection,
    journal: Journal,
    began: float,
    *,
    say: Say,
    advance: Advance,
) -> Done:
    order, node = found.order, found.node
    with undone_on_failure() as undo, translated(ReplicationFailed, FAILED):
        _begin(found, connection, journal, undo)
        _copy(found, journal, say=say, advance=advance)
        goal = Goal(
            slot=order.slot, position=streaming.position(connection), timeline=found.timeline
        )
        aside = _placed(found, undo)
        raised = _configured(found)
        say(f"starting the standby in {order.data}")
        undo.callback(machine.stop, node, "immediate")
        machine.start(node)
        asked = streaming.wait(connection, node, goal, patience=order.patience)
        journal.end()
    seconds = monotonic() - began
    return Done(plan=found, aside=aside, raised=raised, asked=asked, seconds=seconds)


def _refuse(found: Plan) -> None:
    if found.obstacles:
        raise ReplicationRefused(
            "\n".join(("the clone cannot be made:", *(f"  {one.what}" for one in found.obstacles))),
            hint="\n      ".join(dict.fromkeys(one.hint for one in found.obstacles)),
        )


def _begin(found: Plan, connection: Connection, journal: Journal, undo: ExitStack) -> None:
    """Make the slot and the folder, noted before they are there."""
    order = found.order
    journal.begin(order)
    with signals.held():
        try:
            made = clone_slot.made(found, connection)
        except BaseException:
            journal.end()
            raise
        undo.callback(*(clone_slot.forget, order, journal) if made else (journal.end,))
        _make_folder(order.partial, found.node)
        undo.callback(basebackup.remove, order.partial)


def _copy(found: Plan, journal: Journal, *, say: Say, advance: Advance) -> None:
    """Copy the primary, prove the copy, and make it a standby before it has its name."""
    order, node = found.order, found.node
    say(f"copying {order.shown} into {order.partial}")
    basebackup.copy(
        node,
        order.partial,
        found.upstream,
        found.primary.databases + wal.SEGMENT,
        lock=journal.descriptor,
        silence=order.silence,
        advance=advance,
    )
    if basebackup.verify(node, order.partial):
        say("the copy is what the primary sent (pg_verifybackup)")
    # Not the log of another server's start.
    programs.run(
        ("/bin/rm", "-f", "--", order.partial / machine.LOG),
        account=node.account,
        folder=Path("/"),
    )
    configuration.write_standby(order.partial, found.upstream)
    if node.debian is None and not (order.partial / "postgresql.conf").exists():
        raise ReplicationFailed(
            "the primary keeps its configuration outside of its data folder (Debian), and this"
            f" machine has none for {order.data}",
            hint=f"Make one first: pg_createcluster {node.major} main -d {order.data}; then clone"
            " with --replace.",
        )


def _make_folder(folder: Path, node: Node) -> None:
    folder.mkdir(mode=0o700)
    if not node.account.is_caller:
        os.chown(folder, node.account.uid, node.account.gid, follow_symlinks=False)


def _placed(found: Plan, undo: ExitStack) -> Path | None:
    """Give the copy its name; return where the folder that had it has gone."""
    order = found.order
    aside = None
    with signals.held():
        if found.target.kind is Kind.CLUSTER:
            stamp = datetime.now().astimezone().strftime("%Y%m%dT%H%M%S")
            aside = order.data.with_name(f"{order.data.name}.before-{stamp}")
            if os.path.lexists(aside):
                raise ReplicationFailed(f"{aside} is there already", hint="Try again.")
            order.data.rename(aside)
            undo.callback(aside.rename, order.data)
        elif found.target.kind is Kind.EMPTY:
            undo.callback(_make_folder, order.data, found.node)
        # An empty folder gives way; what was put there meanwhile does not.
        order.partial.rename(order.data)
        undo.callback(basebackup.remove, order.data)
    return aside


def _configured(found: Plan) -> tuple[str, ...]:
    """Give the standby its own settings, and those in which it may not be below the primary."""
    order, node, primary = found.order, found.node, found.primary
    own = {} if order.own_port is None else {"port": str(order.own_port)}
    own |= {} if order.own_listen is None else {"listen_addresses": order.own_listen}
    configuration.write_settings(order.data, own)
    names = guarded.names(primary.major)
    running = {name: primary.number(name) for name in names}
    raised = guarded.raised(running, {name: int(machine.setting(node, name)) for name in names})
    configuration.write_settings(order.data, raised)
    return tuple(raised)
