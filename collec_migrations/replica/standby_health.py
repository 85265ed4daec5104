"""Judge one standby against its primary: also what looks healthy but is not. Pure.

The rules are those of the facts, 4.3; each has a test in which the usual check finds nothing.
"""

from collections.abc import Iterator

from collec_migrations.replica import nodes, standby_config, states
from collec_migrations.replica.states import Finding, Limits, Sender, Slot, Up, Verdict

BROKEN, ATTENTION = Verdict.BROKEN, Verdict.ATTENTION
STATUS_INTERVAL = 10
RECEIVER_TIMEOUT = 60_000
SLACK = 1.0
"""Seconds that reading several nodes may take."""
REJOIN = "Stop it, then run `replica rejoin` on its machine."


def judge(standby: Up, primary: Up, limits: Limits) -> Iterator[Finding]:
    """Yield what is wrong with a standby, the worst first."""
    if standby.system and primary.system and standby.system != primary.system:
        yield _broken(
            "other-system",
            f"is a copy of another system ({standby.system}, the primary is {primary.system})",
            "Clone it anew: `replica clone`.",
        )
        return
    yield from _history(standby, primary)
    yield from _slot(standby, primary)
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


def _history(standby: Up, primary: Up) -> Iterator[Finding]:
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


def _slot(standby: Up, primary: Up) -> Iterator[Finding]:
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


def _receiving(standby: Up, primary: Up) -> Iterator[Finding]:
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
        yield Finding(
            code="blind",
            verdict=ATTENTION,
            line="this role may not see what it receives",
            hint="Grant pg_monitor to the role.",
        )
    elif receiver.status != "streaming":
        yield _broken("not-streaming", f"its receiver is {receiver.status!r}, not streaming", "")
    else:
        yield from _silence(standby, primary)


def _silence(standby: Up, primary: Up) -> Iterator[Finding]:
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


def _replaying(standby: Up, primary: Up) -> Iterator[Finding]:
    low = [
        f"{name} {mine} < {theirs}"
        for name in standby_config.guarded_settings(standby.major)
        if (mine := standby.number(name)) is not None
        and (theirs := primary.number(name)) is not None
        and mine < theirs
    ]
    if low:
        yield Finding(
            code="parameters",
            verdict=BROKEN if standby.paused else ATTENTION,
            line=f"its settings are below the primary's ({', '.join(low)})"
            + (": replay is paused" if standby.paused else ""),
            hint="Set them as on the primary, and restart the standby.",
        )
    elif standby.paused:
        waiting = (standby.end or 0) - (standby.replayed or 0)
        yield Finding(
            code="replay-paused",
            verdict=ATTENTION,
            line=f"replay is paused, {waiting} bytes wait",
            hint=f"On {standby.name}: select {nodes.resume_function(standby.major)}().",
        )


def _behind(standby: Up, primary: Up, limits: Limits) -> Iterator[Finding]:
    its = states.lag_of(standby, primary)
    # Late on purpose: it has to receive all at once, and to replay it that much later.
    delay = (standby.number("recovery_min_apply_delay") or 0) / 1000
    missing = its.to_receive if delay else its.to_replay
    if missing is not None and missing > limits.bytes:
        yield Finding(code="lag", verdict=ATTENTION, line=f"is {missing} bytes behind")
    elif its.seconds is not None and its.seconds > delay + limits.seconds:
        yield Finding(code="lag", verdict=ATTENTION, line=f"is {its.seconds:.0f} s behind")


def _versions(standby: Up, primary: Up) -> Iterator[Finding]:
    if standby.version < primary.version:
        yield Finding(
            code="older",
            verdict=ATTENTION,
            line=f"is PostgreSQL {standby.release}, older than the primary, {primary.release}",
            hint="Upgrade minor releases on standbys first.",
        )


def _broken(code: str, line: str, hint: str) -> Finding:
    return Finding(code=code, verdict=BROKEN, line=line, hint=hint)
