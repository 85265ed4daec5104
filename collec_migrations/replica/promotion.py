"""Make a standby the primary: may it be, promote, and make ready for those who come back."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg2
from psycopg2 import extensions

from collec_migrations.errors import (
    MigrationError,
    Problem,
    PromotionUncertain,
    ReplicationFailed,
    ReplicationRefused,
    ServerFailed,
)
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import pg_versions
from collec_migrations.postgres.connection import Connection, first_line, translated
from collec_migrations.replica import health, managers, nodes, standby_config, states, streaming
from collec_migrations.replica.local_node import LocalNode as Machine
from collec_migrations.replica.nodes import NamedNode, read_nodes, resume_function, server_answers
from collec_migrations.replica.states import Down, Node, Up

FORCE = "If you are certain that it is fenced (power off, network away), use --force."


def promotion_obstacles(
    target: Up, nodes: Sequence[Node], *, upstream_answers: bool
) -> Iterator[Problem]:
    """Yield what must be out of the way first; `--force` overrules what has the code `primary`.

    `upstream_speaks`: a server answers where the standby's primary is, whoever asks.
    """
    if not target.in_recovery:
        yield _wrong("role", f"{target.name} is a primary already", "See `replica status`.")
        return
    others = [one for one in nodes if one.name != target.name]
    yield from _alive(target, others, upstream_answers)
    if target.paused and (target.end or 0) > (target.replayed or 0):
        left = (target.end or 0) - (target.replayed or 0)
        yield _wrong(
            "paused",
            f"replay is paused on {target.name}, and {left} bytes wait",
            f"On {target.name}: select {resume_function(target.major)}(). If a setting is below "
            "the former primary's, raise it and restart the standby first.",
        )
    for other in others:
        if isinstance(other, Up) and other.in_recovery and is_ahead(other, target):
            yield _wrong(
                "ahead",
                f"{other.name} has more: {states.lsn_text(other.end or 0)} on timeline "
                f"{other.timeline}, {target.name} has {states.lsn_text(target.end or 0)}",
                f"Promote {other.name}; or name the nodes without it, to lose what it has more.",
            )


def promotion_notes(target: Up, nodes: Sequence[Node]) -> Iterator[str]:
    """Yield what is to be known before a promotion, and is no obstacle."""
    names = target.settings.get("synchronous_standby_names", "").strip()
    if names:
        yield (
            f"{target.name} has synchronous_standby_names = {names!r}: every commit will wait "
            f"until such standbys follow it; or, on {target.name}: alter system set "
            "synchronous_standby_names = ''; select pg_reload_conf()"
        )
    for one in nodes:
        if isinstance(one, Down) and not one.answers:
            yield f"{one.name} does not answer: what it has and {target.name} has not is lost"


def is_ahead(other: Up, target: Up) -> bool:
    """Tell whether a standby has more of the same system than another."""
    if other.system != target.system:
        return False
    timelines = (other.timeline or 0, target.timeline or 0)
    if timelines[0] != timelines[1]:
        return timelines[0] > timelines[1]
    return (other.end or 0) > (target.end or 0)


def _alive(target: Up, others: Sequence[Node], upstream_answers: bool) -> Iterator[Problem]:
    """Yield the signs of a primary that lives: then there would be two."""
    for other in others:
        if isinstance(other, Up) and not other.in_recovery:
            yield _wrong("primary", f"{other.name} answers, and is a primary", SWITCH)
        elif isinstance(other, Down) and other.answers:
            why = f"a server answers at {other.name}, and does not let us in ({other.why})"
            yield _wrong("primary", why, f"It may be a primary. {FORCE}")
    if upstream_answers and target.upstream and not _answers(target, others):
        host, port = target.upstream
        yield _wrong(
            "primary", f"the primary of {target.name} answers at {host}:{port}", SWITCH
        )  # fmt: skip
    receiver = target.receiver
    if (
        receiver
        and receiver.status == "streaming"
        and receiver.message_age is not None
        and receiver.message_age < health.quiet_after(target)
    ):
        line = f"{target.name} heard from its primary {receiver.message_age:.0f} s ago"
        yield _wrong(
            "primary",
            line,
            "It lives, though we may not reach it: a network may be cut between us and it.",
        )


SWITCH = f"To exchange the roles: `replica promote --switchover`. {FORCE}"


def _answers(target: Up, others: Sequence[Node]) -> bool:
    """Tell whether the primary that a standby follows is one that was told already."""
    return any((one.host, one.port) == target.upstream for one in others) and any(
        (isinstance(one, Up) and not one.in_recovery) or (isinstance(one, Down) and one.answers)
        for one in others
    )


def _wrong(code: str, line: str, hint: str) -> Problem:
    return Problem(code=code, message=line, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionPlan:
    """A promotion that may be done."""

    target: Up
    named: NamedNode
    local: Machine | None
    """The standby's folder on this machine; needed before 12, which has no pg_promote()."""
    slots: tuple[str, ...]
    """To be made for the nodes that come back."""
    overruled: tuple[Problem, ...]
    notes: tuple[str, ...]


def plan_promotion(
    nodes: Sequence[NamedNode],
    name: str | None,
    *,
    local: Machine | None = None,
    force: bool = False,
    patience: float = nodes.PATIENCE,
) -> PromotionPlan:
    """Return what a promotion would do; raise ReplicationRefused with all that is in its way."""
    seen = read_nodes(nodes, patience=patience)
    target = _target(seen, name)
    upstream = target.upstream
    answers = upstream is not None and server_answers(*upstream, patience=patience)
    found = list(promotion_obstacles(target, seen, upstream_answers=answers))
    overruled = [one for one in found if force and one.code == "primary"]
    refuse_findings(
        [one for one in found if one not in overruled], f"{target.name} is not promoted"
    )
    if pg_versions.text("sql_promote", target.major) is None and local is None:
        raise ReplicationRefused(
            f"PostgreSQL {target.major} is promoted on its own machine",
            hint=f"Run this on the machine of {target.name}, with --data and its data folder.",
        )
    named = next(one for one in nodes if one.name == target.name)
    refuse_managed(named)
    return PromotionPlan(
        target=target,
        named=named,
        local=local,
        slots=tuple(standby_config.slot_of(one.name) for one in nodes if one is not named),
        overruled=tuple(overruled),
        notes=tuple(promotion_notes(target, seen)),
    )


def refuse_findings(found: Sequence[Problem], what: str) -> None:
    """Raise ReplicationRefused with all obstacles, when there are any."""
    if found:
        raise ReplicationRefused(
            "\n".join((f"{what}:", *(f"  {one.message}" for one in found))),
            hint="\n      ".join(dict.fromkeys(one.hint for one in found if one.hint)),
        )


def refuse_managed(named: NamedNode) -> None:
    """Raise ManagedElsewhere when another program is in charge of a node."""
    managers.refuse(managers.by_rest(named.host), where=named.name)
    with closing(database.connect(named.address)) as connection:
        managers.refuse(managers.on_server(connection), where=named.name)


def _target(seen: Sequence[Node], name: str | None) -> Up:
    """Return the standby to promote: the named one, else the only one that answers."""
    up = [one for one in seen if isinstance(one, Up)]
    if name is not None:
        for one in up:
            if one.name == name:
                return one
        raise ReplicationRefused(f"{name} does not answer", hint="See `replica status`.")
    found = [one for one in up if one.in_recovery]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in found)
    raise ReplicationRefused(
        f"{len(found)} standbys answer: {names}" if found else "no standby answers",
        hint="Name the one to promote; the others are compared with it."
        if found
        else "See `replica status`.",
    )


Say = Callable[[str], None]
SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A new primary."""

    name: str
    host: str
    port: int
    timeline: int | None
    position: int | None
    seconds: float
    """From the order until it took writes."""
    left: tuple[str, ...]
    """What could not be made ready, each with what to do."""


def promote(plan: PromotionPlan, *, say: Say) -> Promotion:
    """Promote the standby of a plan.

    Raises ReplicationFailed when it did not become a primary; what fails afterwards is told in
    `left`, since there is no way back.
    """
    with (
        translated(ReplicationFailed, f"{plan.target.name} was not promoted"),
        closing(database.connect(plan.named.address)) as connection,
    ):
        connection.autocommit = True
        began = time.monotonic()
        _promote(connection, plan)
        seconds = time.monotonic() - began
        say(f"{plan.target.name} is the primary, after {seconds:.1f} s")
        left = [*_checkpointed(connection, plan.target.major), *_ready(connection, plan.slots)]
    now = nodes.read_node(plan.named)
    return Promotion(
        name=plan.target.name,
        host=plan.named.host,
        port=plan.named.port,
        timeline=now.timeline if isinstance(now, Up) else None,
        position=now.position if isinstance(now, Up) else None,
        seconds=seconds,
        left=tuple(left),
    )


def _promote(connection: Connection, plan: PromotionPlan) -> None:
    name = plan.target.name
    try:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            if pg_versions.text("sql_promote", plan.target.major) is None:
                assert plan.local is not None
                plan.local.run("pg_ctl", "-D", plan.local.data, "promote")
            else:
                cursor.execute("select pg_promote(true, %s)", (SECONDS,))
            _wait(cursor, name)
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise PromotionUncertain(
            f"{name} was lost while it was promoted: {first_line(error)}",
            hint="It may be a primary: see `replica status` before you start another one.",
        ) from error
    except (psycopg2.Error, ServerFailed) as error:
        raise ReplicationFailed(
            f"{name} was not promoted: {first_line(error)}",
            hint="Look at its log and at `replica status` before you try again.",
        ) from error


def _wait(cursor: extensions.cursor, name: str) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        cursor.execute("select pg_is_in_recovery()")
        if cursor.fetchone() == (False,):
            return
        time.sleep(0.05)
    raise PromotionUncertain(
        f"{name} is still a standby after {SECONDS} s",
        hint="It may still become a primary: see its log, and `replica status`.",
    )


def _checkpointed(connection: Connection, major: str) -> list[str]:
    """Write a checkpoint where pg_rewind would else look at the old timeline (up to 15)."""
    if not pg_versions.holds("rewind_needs_checkpoint_after_promote", major):
        return []
    try:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute("checkpoint")
    except psycopg2.Error as error:
        return [f"no checkpoint was made ({first_line(error)}): run CHECKPOINT as a superuser"]
    return []


def _ready(connection: Connection, names: Sequence[str]) -> list[str]:
    """Make the slots of those who come back."""
    left = []
    for name in names:
        try:
            streaming.create_slot(connection, name)
        except ReplicationRefused:  # it is there already
            continue
        except MigrationError as error:
            left.append(f"{error}: run select pg_create_physical_replication_slot('{name}')")
    return left
