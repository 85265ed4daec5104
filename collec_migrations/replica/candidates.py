"""May this standby be promoted? All that speaks against it, from what was seen. Pure."""

from collections.abc import Iterator, Sequence

from collec_migrations.replica import lsn, queries, standbys
from collec_migrations.replica.findings import Finding, Verdict
from collec_migrations.replica.states import Down, Node, Up

FORCE = "If you are certain that it is fenced (power off, network away), use --force."


def obstacles(target: Up, nodes: Sequence[Node], *, upstream_speaks: bool) -> Iterator[Finding]:
    """Yield what must be out of the way first; `--force` overrules what has the code `primary`.

    `upstream_speaks`: a server answers where the standby's primary is, whoever asks.
    """
    if not target.in_recovery:
        yield _wrong("role", f"{target.name} is a primary already", "See `replica status`.")
        return
    others = [one for one in nodes if one.name != target.name]
    yield from _alive(target, others, upstream_speaks)
    if target.paused and (target.end or 0) > (target.replayed or 0):
        left = (target.end or 0) - (target.replayed or 0)
        yield _wrong(
            "paused",
            f"replay is paused on {target.name}, and {left} bytes wait",
            f"On {target.name}: select {queries.resume(target.major)}(). If a setting is below "
            "the former primary's, raise it and restart the standby first.",
        )
    for other in others:
        if isinstance(other, Up) and other.in_recovery and is_ahead(other, target):
            yield _wrong(
                "ahead",
                f"{other.name} has more: {lsn.shown(other.end or 0)} on timeline "
                f"{other.timeline}, {target.name} has {lsn.shown(target.end or 0)}",
                f"Promote {other.name}; or name the nodes without it, to lose what it has more.",
            )


def notes(target: Up, nodes: Sequence[Node]) -> Iterator[str]:
    """Yield what is to be known before a promotion, and is no obstacle."""
    names = target.settings.get("synchronous_standby_names", "").strip()
    if names:
        yield (
            f"{target.name} has synchronous_standby_names = {names!r}: every commit will wait "
            f"until such standbys follow it; or, on {target.name}: alter system set "
            "synchronous_standby_names = ''; select pg_reload_conf()"
        )
    for one in nodes:
        if isinstance(one, Down) and not one.speaks:
            yield f"{one.name} does not answer: what it has and {target.name} has not is lost"


def is_ahead(other: Up, target: Up) -> bool:
    """Tell whether a standby has more of the same system than another."""
    if other.system != target.system:
        return False
    timelines = (other.timeline or 0, target.timeline or 0)
    if timelines[0] != timelines[1]:
        return timelines[0] > timelines[1]
    return (other.end or 0) > (target.end or 0)


def _alive(target: Up, others: Sequence[Node], upstream_speaks: bool) -> Iterator[Finding]:
    """Yield the signs of a primary that lives: then there would be two."""
    for other in others:
        if isinstance(other, Up) and not other.in_recovery:
            yield _wrong("primary", f"{other.name} answers, and is a primary", SWITCH)
        elif isinstance(other, Down) and other.speaks:
            why = f"a server answers at {other.name}, and does not let us in ({other.why})"
            yield _wrong("primary", why, f"It may be a primary. {FORCE}")
    if upstream_speaks and target.upstream and not _answers(target, others):
        host, port = target.upstream
        yield _wrong(
            "primary", f"the primary of {target.name} answers at {host}:{port}", SWITCH
        )  # fmt: skip
    receiver = target.receiver
    if (
        receiver
        and receiver.status == "streaming"
        and receiver.message_age is not None
        and receiver.message_age < standbys.quiet_after(target)
    ):
        line = f"{target.name} heard from its primary {receiver.message_age:.0f} s ago"
        yield _wrong(
            "primary",
            line,
            "It lives, though we may not reach it: a network may be cut between us and it.",
        )


SWITCH = f"To exchange the roles: `replica switchover`. {FORCE}"


def _answers(target: Up, others: Sequence[Node]) -> bool:
    """Tell whether the primary that a standby follows is one that was told already."""
    return any((one.host, one.port) == target.upstream for one in others) and any(
        (isinstance(one, Up) and not one.in_recovery) or (isinstance(one, Down) and one.speaks)
        for one in others
    )


def _wrong(code: str, line: str, hint: str) -> Finding:
    return Finding(code=code, verdict=Verdict.BROKEN, line=line, hint=hint)
