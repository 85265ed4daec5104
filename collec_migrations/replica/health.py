"""Decide how a replication is, from what was seen of all its nodes. Pure."""

import re
from collections.abc import Iterator, Sequence

from collec_migrations.replica import standby_health, states
from collec_migrations.replica.states import (
    Down,
    Finding,
    Lag,
    Limits,
    Node,
    NodeReport,
    Report,
    Sender,
    Up,
    Verdict,
)

STREAMING = "streaming"
ALONE = Finding(
    code="alone",
    verdict=Verdict.ATTENTION,
    line="how far it is behind is not known without its primary",
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
    slot = standby_health.slot_of(node, primary) if primary else None
    state = "" if slot is None else slot.wal_status or ("active" if slot.active else "inactive")
    found = list(standby_health.judge(node, primary, limits)) if primary else [ALONE]
    return NodeReport(
        name=node.name,
        role="standby",
        address=node.shown,
        release=node.release,
        timeline=(node.receiver.timeline if node.receiver else None) or node.timeline,
        lag=states.lag_of(node, primary),
        slot=f"{slot.name} {state}" if slot else standby_health.slot_name(node),
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
    finding = Finding(
        code="refuses-reads" if sender else "down",
        verdict=Verdict.OK if sender and sender.state == STREAMING else Verdict.BROKEN,
        line=f"refuses reads; {primary.name if primary else ''} says {sender.state}"
        if sender
        else f"does not let us in: {node.why}"
        if node.answers
        else f"is down: {node.why}",
        hint="" if sender else _down_hint(node, primary),
    )
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
        findings=(finding,),
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


def _whole(nodes: Sequence[Node]) -> Iterator[Finding]:
    found = primaries(nodes)
    shut = [one.name for one in nodes if isinstance(one, Down) and one.answers]
    if not found and shut:
        yield Finding(
            code="no-primary",
            verdict=Verdict.BROKEN,
            line=f"no primary is seen: {', '.join(shut)} does not let us in",
            hint="A server is there: see to it that `replica status` is let in, before all else.",
        )
    elif not found:
        yield Finding(
            code="no-primary",
            verdict=Verdict.BROKEN,
            line="no node is a primary",
            hint="If it is lost: `replica promote` on the machine of the best standby.",
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
        yield Finding(
            code="two-primaries",
            verdict=Verdict.BROKEN,
            line=f"{len(found)} nodes take writes: {both}",
            hint=f"Stop the application, then the wrong one ({which}); look at what it took alone, "
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


def _synchronous(primary: Up) -> Iterator[Finding]:
    """Yield that commits wait for standbys which nobody is (manual, 20.6.2)."""
    names = primary.settings.get("synchronous_standby_names", "").strip()
    if not names:
        return
    answer = re.match(r"(?:(?:first|any)\s+)?(\d+)\s*\(", names, re.IGNORECASE)
    needed = int(answer[1]) if answer else 1
    meeting = [one for one in primary.senders if one.sync_state in ("sync", "quorum")]
    if len(meeting) < needed and all(one.sync_state for one in primary.senders):
        yield Finding(
            code="sync-unmet",
            verdict=Verdict.BROKEN,
            line=f"every commit waits: synchronous_standby_names is {names!r}, and "
            f"{len(meeting)} of {needed} such standbys stream",
            hint=f"Start them, or on {primary.name}: alter system set synchronous_standby_names = "
            "''; select pg_reload_conf().",
        )


def _second(node: Up, primary: Up | None) -> Finding:
    alone = ""
    if primary and primary.timeline == node.timeline:
        alone = f", to {states.lsn_text(node.position or 0)}"
    return Finding(
        code="second-primary",
        verdict=Verdict.BROKEN,
        line=f"takes writes on timeline {node.timeline}{alone}, and is not the primary",
        hint="What it took alone is lost when it rejoins: look at it first.",
    )


def _slots(primary: Up, nodes: Sequence[Node]) -> Iterator[Finding]:
    """Yield what is wrong with the slots of a primary."""
    used = {standby_health.slot_name(one) for one in nodes if isinstance(one, Up)}
    for slot in primary.slots:
        if slot.active or slot.lost or slot.position is None or slot.name in used:
            continue
        yield Finding(
            code="slot-inactive",
            verdict=Verdict.ATTENTION,
            line=f"its slot {slot.name!r} keeps {(primary.position or 0) - slot.position} bytes "
            "of WAL, and nobody uses it",
            hint=f"If nobody comes back: select pg_drop_replication_slot('{slot.name}').",
        )
    if primary.slots and primary.number("max_slot_wal_keep_size") == -1:
        yield Finding(
            code="slot-unbounded",
            verdict=Verdict.ATTENTION,
            line="max_slot_wal_keep_size is -1: a standby that is away can fill its disk",
            hint="Set it to what the disk can spare, as `replica primary` proposes.",
        )


def _left_over(standby: Up) -> Iterator[Finding]:
    """Yield slots that a standby keeps from the time when it was a primary."""
    for slot in standby.slots:
        if slot.physical and not slot.active:
            yield Finding(
                code="slot-stale",
                verdict=Verdict.ATTENTION,
                line=f"its own slot {slot.name!r} is unused and keeps WAL for ever",
                hint=f"On {standby.name}: select pg_drop_replication_slot('{slot.name}').",
            )
