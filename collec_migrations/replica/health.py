"""Decide how a replication is, from what was seen of all its nodes. Pure.

A standby is judged against its primary, also where it looks healthy but is not: the rules are those
of the facts, 4.3; each has a test in which the usual check finds nothing.
"""

import re
from collections.abc import Iterator, Sequence

from collec_migrations.errors import Level, Problem
from collec_migrations.replica import nodes, standby_config, states
from collec_migrations.replica.states import (
    Down,
    Lag,
    Limits,
    Node,
    NodeReport,
    Report,
    Sender,
    Slot,
    Up,
)

STATUS_INTERVAL = 10
RECEIVER_TIMEOUT = 60_000
SLACK = 1.0
"""Seconds that reading several nodes may take."""
REJOIN = "Stop it, then run `replica rejoin` on its machine."


def judge_standby(standby: Up, primary: Up, limits: Limits) -> Iterator[Problem]:
    """Yield what is wrong with a standby, the worst first."""
    if standby.system and primary.system and standby.system != primary.system:
        yield _broken(
            "other-system",
            f"is a copy of another system ({standby.system}, the primary is {primary.system})",
            "Clone it anew: `replica clone`.",
        )
        return
    yield from _history(standby, primary)
    yield from _slot_of_standby(standby, primary)
    yield from _receiving(standby, primary)
    yield from _replaying(standby, primary)
    yield from _behind(standby, primary, limits)
    yield from _versions(standby, primary)


def sender_of(standby: Up, primary: Up) -> Sender | None:
    """Return the primary's row about a standby: by its slot's process, else by its name."""
    slot = slot_of(standby, primary)
    if slot and slot.pid is not None:
        return next((one for one in primary.senders if one.pid == slot.pid), None)
    names = {standby.name, standby.receiver.name if standby.receiver else standby.name}
    return next((one for one in primary.senders if one.name in names), None)


def slot_of(standby: Up, primary: Up) -> Slot | None:
    """Return the slot of a standby on its primary."""
    return primary.slot(slot_name(standby))


def slot_name(standby: Up) -> str:
    """Return the name of the slot that a standby uses, empty when it uses none."""
    used = standby.receiver.slot if standby.receiver else ""
    return used or standby.settings.get("primary_slot_name", "")


def quiet_after(standby: Up) -> float:
    """Return the seconds without a message after which a standby's receiver is cut off.

    A busy primary is heard all the time. With an idle one it is the standby that asks, after half
    of wal_receiver_timeout: 2 x wal_receiver_status_interval alone is a false alarm then.
    """
    timeout = standby.number("wal_receiver_timeout")
    milliseconds = RECEIVER_TIMEOUT if timeout is None else timeout
    return max(2 * _interval(standby), milliseconds / 2000) + SLACK


def _interval(standby: Up) -> int:
    return standby.number("wal_receiver_status_interval") or STATUS_INTERVAL


def _history(standby: Up, primary: Up) -> Iterator[Problem]:
    written, has = primary.position, standby.end
    receiver = standby.receiver
    timeline = (receiver.timeline if receiver else None) or standby.timeline
    if timeline is not None and primary.timeline is not None and timeline > primary.timeline:
        yield _broken(
            "diverged",
            f"is on timeline {timeline}, newer than the primary's {primary.timeline}",
            "Find out which primary is the right one before you do anything.",
        )
    elif written is not None and has is not None and has > written:
        yield _broken(
            "diverged", f"has {has - written} bytes that the primary never wrote: it diverged",
            REJOIN,
        )  # fmt: skip
    elif receiver and receiver.timeline and receiver.timeline != primary.timeline:
        yield _broken(
            "diverged",
            f"receives timeline {receiver.timeline}, the primary is on {primary.timeline}: "
            "it diverged",
            REJOIN,
        )


def _slot_of_standby(standby: Up, primary: Up) -> Iterator[Problem]:
    name = slot_name(standby)
    if not name:
        return
    slot = slot_of(standby, primary)
    if slot is None:
        yield _broken(
            "slot-missing",
            f"its slot {name!r} is not on {primary.name}",
            f"On {primary.name}: select pg_create_physical_replication_slot('{name}').",
        )
    elif slot.lost:
        why = slot.invalidation or f"wal_status {slot.wal_status}"
        yield _broken(
            "slot-lost",
            f"WAL that it needs is gone from {primary.name} (slot {name!r}: {why})",
            "A lost slot cannot be revived: run `replica rejoin` on its machine.",
        )
    elif not slot.active and standby.receiver:
        yield _broken("slot-unused", f"its slot {name!r} is not active on {primary.name}", "")


def _receiving(standby: Up, primary: Up) -> Iterator[Problem]:
    receiver = standby.receiver
    if receiver is None:
        if not standby.receiver_known and sender_of(standby, primary):
            return
        yield _broken(
            "no-receiver",
            f"receives nothing from {primary.name}",
            "Its log says why; is primary_conninfo right, and the primary's pg_hba.conf?",
        )
    elif not receiver.status:
        yield _warning(
            "blind",
            "this role may not see what it receives",
            "Grant pg_monitor to the role.",
        )
    elif receiver.status != "streaming":
        yield _broken("not-streaming", f"its receiver is {receiver.status!r}, not streaming", "")
    else:
        yield from _silence(standby, primary)


def _silence(standby: Up, primary: Up) -> Iterator[Problem]:
    """Yield what tells that nothing comes through though both sides say `streaming`."""
    age = standby.receiver.message_age if standby.receiver else None
    sender = sender_of(standby, primary)
    # Both times are by the standby's clock: a difference of clocks does no harm.
    reply = sender.reply_time if sender else None
    reply_age = None if reply is None else standby.clock - reply
    soon = 2 * _interval(standby) + SLACK
    if age is not None and age > quiet_after(standby):
        yield _broken("silent", f"heard nothing from {primary.name} for {age:.0f} s", CUT)
    elif reply_age is not None and reply_age > soon:
        line = f"{primary.name} heard nothing from it for {reply_age:.0f} s"
        yield _broken("silent", line, CUT)


CUT = "Is the network between them cut?"


def _replaying(standby: Up, primary: Up) -> Iterator[Problem]:
    low = [
        f"{name} {mine} < {theirs}"
        for name in standby_config.guarded_settings(standby.major)
        if (mine := standby.number(name)) is not None
        and (theirs := primary.number(name)) is not None
        and mine < theirs
    ]
    if low:
        yield Problem(
            code="parameters",
            level=Level.ERROR if standby.paused else Level.WARNING,
            message=f"its settings are below the primary's ({', '.join(low)})"
            + (": replay is paused" if standby.paused else ""),
            hint="Set them as on the primary, and restart the standby.",
        )
    elif standby.paused:
        waiting = (standby.end or 0) - (standby.replayed or 0)
        yield _warning(
            "replay-paused",
            f"replay is paused, {waiting} bytes wait",
            f"On {standby.name}: select {nodes.resume_function(standby.major)}().",
        )


def _behind(standby: Up, primary: Up, limits: Limits) -> Iterator[Problem]:
    its = states.lag_of(standby, primary)
    # Late on purpose: it has to receive all at once, and to replay it that much later.
    delay = (standby.number("recovery_min_apply_delay") or 0) / 1000
    missing = its.to_receive if delay else its.to_replay
    if missing is not None and missing > limits.bytes:
        yield Problem(code="lag", level=Level.WARNING, message=f"is {missing} bytes behind")
    elif its.seconds is not None and its.seconds > delay + limits.seconds:
        yield Problem(code="lag", level=Level.WARNING, message=f"is {its.seconds:.0f} s behind")


def _versions(standby: Up, primary: Up) -> Iterator[Problem]:
    if standby.version < primary.version:
        yield _warning(
            "older",
            f"is PostgreSQL {standby.release}, older than the primary, {primary.release}",
            "Upgrade minor releases on standbys first.",
        )


def _broken(code: str, line: str, hint: str = "") -> Problem:
    return Problem(code=code, message=line, hint=hint)


def _warning(code: str, line: str, hint: str = "") -> Problem:
    return Problem(code=code, level=Level.WARNING, message=line, hint=hint)


STREAMING = "streaming"
ALONE = Problem(
    code="alone",
    level=Level.WARNING,
    message="how far it is behind is not known without its primary",
)


def report(nodes: Sequence[Node], limits: Limits | None = None) -> Report:
    """Return the verdict on each node and on the whole: ok, attention or broken, with a line."""
    primary = primary_of(nodes)
    return Report(
        nodes=tuple(_node(one, primary, nodes, limits or Limits()) for one in nodes),
        findings=tuple(_whole(nodes)),
    )


def primaries(nodes: Sequence[Node]) -> tuple[Up, ...]:
    """Return the nodes that take writes, the one on the newest timeline first."""
    found = [one for one in nodes if isinstance(one, Up) and not one.in_recovery]
    return tuple(sorted(found, key=lambda one: one.timeline or 0, reverse=True))


def primary_of(nodes: Sequence[Node]) -> Up | None:
    """Return the primary; None for none, and where it cannot be told which of several it is.

    Of several, the only one that others follow: their common history is the newest that is not of
    one node alone, and a standby that promoted itself has a newer timeline and no followers. Where
    none is followed, or more than one, the one on the newest timeline.
    """
    found = primaries(nodes)
    followed = [one for one in found if _followers(one, nodes)]
    if len(followed) == 1:
        return followed[0]
    if len(found) > 1 and found[0].timeline == found[1].timeline:
        return None
    return found[0] if found else None


def _followers(primary: Up, nodes: Sequence[Node]) -> list[str]:
    """Return the standbys that receive from a primary, by what either side says."""
    names = {one.name for one in primary.senders if one.state == STREAMING}
    for one in nodes:
        if isinstance(one, Up) and one.in_recovery and one.upstream == (primary.host, primary.port):
            names.add(one.name)
    return sorted(names)


def _node(node: Node, primary: Up | None, nodes: Sequence[Node], limits: Limits) -> NodeReport:
    if isinstance(node, Down):
        return _down(node, primary)
    if not node.in_recovery:
        return _primary(node, primary, nodes)
    slot = slot_of(node, primary) if primary else None
    state = "" if slot is None else slot.wal_status or ("active" if slot.active else "inactive")
    found = list(judge_standby(node, primary, limits)) if primary else [ALONE]
    return NodeReport(
        name=node.name,
        role="standby",
        address=node.shown,
        release=node.release,
        timeline=(node.receiver.timeline if node.receiver else None) or node.timeline,
        lag=states.lag_of(node, primary),
        slot=f"{slot.name} {state}" if slot else slot_name(node),
        paused=node.paused,
        message_age=node.receiver.message_age if node.receiver else None,
        findings=(*found, *_left_over(node)),
    )


def _primary(node: Up, primary: Up | None, nodes: Sequence[Node]) -> NodeReport:
    return NodeReport(
        name=node.name,
        role="primary",
        address=node.shown,
        release=node.release,
        timeline=node.timeline,
        lag=None,
        slot="",
        paused=False,
        message_age=None,
        findings=(*_synchronous(node), *_slots(node, nodes))
        if primary in (node, None)
        else (_second(node, primary),),
    )


def _down(node: Down, primary: Up | None) -> NodeReport:
    """Return the report of a node that was not asked: of a standby its primary may know more."""
    sender = _sender_named(node, primary)
    written = primary.position if primary else None
    behind = states.bytes_behind(written, sender.replayed) if sender else None
    if sender:
        remark = f"refuses reads; {primary.name if primary else ''} says {sender.state}"
        problem = Problem(code="refuses-reads", message=remark)
    else:
        remark = f"does not let us in: {node.why}" if node.answers else f"is down: {node.why}"
        problem = Problem(code="down", message=remark, hint=_down_hint(node, primary))
    is_well = sender is not None and sender.state == STREAMING
    return NodeReport(
        name=node.name,
        role="standby" if sender else "unknown" if node.answers else "down",
        address=node.shown,
        release="",
        timeline=None,
        lag=Lag(to_receive=None, to_replay=behind, seconds=None, since_replay=None)
        if sender
        else None,
        slot="",
        paused=False,
        message_age=None,
        findings=() if is_well else (problem,),
        remark=remark if is_well else "",
    )


def _down_hint(node: Down, primary: Up | None) -> str:
    if node.answers:
        return "Name a role that its pg_hba.conf lets in, with its password in ~/.pgpass."
    if primary is None:
        return "Is its machine up, and can it be reached from here?"
    return "A standby: start it. A former primary: do not start it, but `replica rejoin` there."


def _sender_named(node: Down, primary: Up | None) -> Sender | None:
    if not node.answers or primary is None:
        return None
    return next((one for one in primary.senders if one.name == node.name), None)


def _whole(nodes: Sequence[Node]) -> Iterator[Problem]:
    found = primaries(nodes)
    shut = [one.name for one in nodes if isinstance(one, Down) and one.answers]
    if not found and shut:
        yield _broken(
            "no-primary",
            f"no primary is seen: {', '.join(shut)} does not let us in",
            "A server is there: see to it that `replica status` is let in, before all else.",
        )
    elif not found:
        yield _broken(
            "no-primary",
            "no node is a primary",
            "If it is lost: `replica promote` on the machine of the best standby.",
        )
    if len(found) > 1:
        alone = written_alone(found)
        both = ", ".join(
            f"{one.name} (timeline {one.timeline}, {states.lsn_text(one.position or 0)}, "
            f"system {one.system or 'unknown'}, "
            f"followed by {', '.join(_followers(one, nodes)) or 'nobody'}{alone[one.name]})"
            for one in found
        )
        chosen = primary_of(nodes)
        which = f"not {chosen.name}, which others follow" if chosen and _followers(
            chosen, nodes) else "which one that is, their rows tell, not this page"  # fmt: skip
        yield _broken(
            "two-primaries",
            f"{len(found)} nodes take writes: {both}",
            f"Stop the application, then the wrong one ({which}); look at what it took alone, "
            "then `replica rejoin` on its machine.",
        )


def written_alone(primaries: Sequence[Up]) -> dict[str, str]:
    """Return, by the name of each of several primaries, what it has alone, for people."""
    found = {}
    for one in primaries:
        forks = [fork_of(one, other) for other in primaries if other is not one]
        if len(forks) == 1 and forks[0] is not None and one.position is not None:
            timeline, left = forks[0]
            found[one.name] = (
                f", {max(0, one.position - left)} bytes alone since {states.lsn_text(left)}"
                f" of timeline {timeline}"
            )
        else:
            found[one.name] = ", what it has alone is not known"
    return found


def fork_of(one: Up, other: Up) -> tuple[int, int] | None:
    """Return where two primaries of one system left each other: a timeline and a position.

    None when it cannot be known: histories that may not be read, or end on one timeline of the
    same number, as of two that were promoted at the same place.
    """
    if one.history is None or other.history is None or one.system != other.system:
        return None
    paths = [(*node.history, (node.timeline or 0, node.position or 0)) for node in (one, other)
             if node.history is not None]  # fmt: skip
    for at, (mine, its) in enumerate(zip(*paths, strict=False)):
        if mine == its and at < min(map(len, paths)) - 1:
            continue
        last = at == len(paths[0]) - 1 and at == len(paths[1]) - 1
        if mine[0] != its[0]:
            return paths[0][at - 1] if at else None
        return None if last else (mine[0], min(mine[1], its[1]))
    return None


def _synchronous(primary: Up) -> Iterator[Problem]:
    """Yield that commits wait for standbys which nobody is (manual, 20.6.2)."""
    names = primary.settings.get("synchronous_standby_names", "").strip()
    if not names:
        return
    answer = re.match(r"(?:(?:first|any)\s+)?(\d+)\s*\(", names, re.IGNORECASE)
    needed = int(answer[1]) if answer else 1
    meeting = [one for one in primary.senders if one.sync_state in ("sync", "quorum")]
    if len(meeting) < needed and all(one.sync_state for one in primary.senders):
        yield _broken(
            "sync-unmet",
            f"every commit waits: synchronous_standby_names is {names!r}, and "
            f"{len(meeting)} of {needed} such standbys stream",
            f"Start them, or on {primary.name}: alter system set synchronous_standby_names = "
            "''; select pg_reload_conf().",
        )


def _second(node: Up, primary: Up | None) -> Problem:
    alone = ""
    if primary and primary.timeline == node.timeline:
        alone = f", to {states.lsn_text(node.position or 0)}"
    return _broken(
        "second-primary",
        f"takes writes on timeline {node.timeline}{alone}, and is not the primary",
        "What it took alone is lost when it rejoins: look at it first.",
    )


def _slots(primary: Up, nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield what is wrong with the slots of a primary."""
    used = {slot_name(one) for one in nodes if isinstance(one, Up)}
    for slot in primary.slots:
        if slot.active or slot.lost or slot.position is None or slot.name in used:
            continue
        yield _warning(
            "slot-inactive",
            f"its slot {slot.name!r} keeps {(primary.position or 0) - slot.position} bytes "
            "of WAL, and nobody uses it",
            f"If nobody comes back: select pg_drop_replication_slot('{slot.name}').",
        )
    if primary.slots and primary.number("max_slot_wal_keep_size") == -1:
        yield _warning(
            "slot-unbounded",
            "max_slot_wal_keep_size is -1: a standby that is away can fill its disk",
            "Set it to what the disk can spare, as `replica primary` proposes.",
        )


def _left_over(standby: Up) -> Iterator[Problem]:
    """Yield slots that a standby keeps from the time when it was a primary."""
    for slot in standby.slots:
        if slot.physical and not slot.active:
            yield _warning(
                "slot-stale",
                f"its own slot {slot.name!r} is unused and keeps WAL for ever",
                f"On {standby.name}: select pg_drop_replication_slot('{slot.name}').",
            )
