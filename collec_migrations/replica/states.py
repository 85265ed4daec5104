"""What is seen of the nodes of a replication at one moment, and what is found, as values. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import psycopg2
from psycopg2.extensions import parse_dsn

from collec_migrations.errors import Level, Problem, ReplicationFailed

History: TypeAlias = Sequence[tuple[int, int]]
"""Former timelines of a server, and the position at which each was left."""


def parse_lsn(text: str) -> int:
    """Return the position that PostgreSQL writes as `16/B374D848`."""
    high, separator, low = text.strip().partition("/")
    try:
        if not separator:
            raise ValueError(text)
        return (int(high, 16) << 32) + int(low, 16)
    except ValueError:
        raise ReplicationFailed(f"{text!r} is not a position in the WAL") from None


def lsn_text(position: int) -> str:
    """Return a position as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def parse_history(content: str) -> History:
    """Return what a timeline's history file tells: `parent<tab>position<tab>reason` on a line."""
    rows = (line.split() for line in content.splitlines() if line.strip() and line[0] != "#")
    return tuple((int(row[0]), parse_lsn(row[1])) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """The row of pg_stat_wal_receiver."""

    status: str
    """Empty: this role may not see it (it needs pg_monitor)."""
    timeline: int | None
    message_age: float | None
    """Seconds since the last message of the primary, by the standby's own clock."""
    slot: str
    name: str
    """What the standby calls itself (application_name)."""
    host: str
    port: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A row of pg_stat_replication."""

    pid: int
    name: str
    client: str
    state: str
    sync_state: str
    sent: int | None
    replayed: int | None
    reply_time: float | None
    """When the standby sent its last reply, by the standby's clock, in seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A row of pg_replication_slots."""

    name: str
    physical: bool
    active: bool
    pid: int | None
    position: int | None
    """From where on it keeps WAL."""
    wal_status: str
    """Empty before 13."""
    invalidation: str

    @property
    def lost(self) -> bool:
        """Tell whether WAL that its standby may need is gone or about to go."""
        return self.wal_status in ("lost", "unreserved") or bool(self.invalidation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A node that answers questions."""

    name: str
    shown: str
    """Its address without a password."""
    host: str
    port: int
    version: int
    """server_version_num"""
    release: str
    """As people write the version."""
    major: str
    in_recovery: bool
    system: str | None
    """The system identifier; None before 9.6."""
    timeline: int | None
    """None on a standby before 9.6."""
    position: int | None
    """Where a primary writes."""
    received: int | None
    replayed: int | None
    paused: bool
    replay_age: float | None
    """Seconds since the last transaction that was replayed was committed; None: none was."""
    clock: float
    began: int
    """When its server started, in seconds since 1970."""
    receiver_known: bool
    receiver: Receiver | None = None
    senders: tuple[Sender, ...] = ()
    slots: tuple[Slot, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    history: History | None = ()
    """Former timelines of a primary and where each was left; None: this role may not read it."""
    upstream: tuple[str, int] | None = None
    """Host and port of the primary that a standby is told to follow, when we may see it."""

    def number(self, setting: str) -> int | None:
        """Return a setting that is a number, None when it is not known."""
        text = self.settings.get(setting, "")
        return int(text) if text.lstrip("-").isdigit() else None

    def slot(self, name: str) -> Slot | None:
        """Return a slot by its name."""
        return next((one for one in self.slots if one.name == name), None)

    @property
    def end(self) -> int | None:
        """Return the last position that the node has: written, or received, or replayed."""
        if not self.in_recovery:
            return self.position
        # A standby that was started without its primary has replayed, and received nothing.
        return max((at for at in (self.received, self.replayed) if at is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """A node that could not be asked."""

    name: str
    shown: str
    host: str
    port: int
    why: str
    answers: bool
    """A PostgreSQL server is there, though it does not let us in."""


Node: TypeAlias = Up | Down


DEFAULT_PORT = 5432
Row = tuple[Any, ...]  # columns of several types


def receiver_from_row(row: Row) -> Receiver:
    """Return what `replica_receiver.sql` gives."""
    status, timeline, age, slot, conninfo = row
    parts = _parts(conninfo or "")
    return Receiver(
        status=status or "",
        timeline=timeline,
        message_age=age,
        slot=slot or "",
        name=parts.get("application_name", ""),
        host=parts.get("hostaddr") or parts.get("host", ""),
        port=int(parts["port"]) if parts.get("port", "").isdigit() else None,
    )


def upstream_from(conninfo: str, receiver: Receiver | None) -> tuple[str, int] | None:
    """Return host and port of the primary: what is received from, else what is configured."""
    if receiver and receiver.host:
        return receiver.host, receiver.port or DEFAULT_PORT
    parts = _parts(conninfo)
    host = parts.get("hostaddr") or parts.get("host", "")
    return (host, int(parts.get("port", DEFAULT_PORT))) if host else None


def _parts(conninfo: str) -> dict[str, str]:
    """Return the parts of a connection string, none when a newer libpq wrote it."""
    try:
        return {name: str(value) for name, value in parse_dsn(conninfo).items()}
    except psycopg2.ProgrammingError:
        return {}


def sender_from_row(row: Row) -> Sender:
    """Return what `replica_senders.sql` gives."""
    pid, name, client, state, sync_state, sent, replayed, reply_time = row
    return Sender(
        pid=pid,
        name=name or "",
        client=client or "",
        state=state or "",
        sync_state=sync_state or "",
        sent=position_from(sent),
        replayed=position_from(replayed),
        reply_time=reply_time,
    )


def slot_from_row(row: Row) -> Slot:
    """Return what `replica_slots.sql` gives."""
    name, kind, active, pid, at, wal_status, invalidation = row
    return Slot(
        name=name,
        physical=kind == "physical",
        active=active,
        pid=pid,
        position=position_from(at),
        wal_status=wal_status or "",
        invalidation=invalidation or "",
    )


def position_from(text: str | None) -> int | None:
    """Return a position, None for null."""
    return None if text is None else parse_lsn(text)


class Verdict(StrEnum):
    """How a node is, from good to bad."""

    OK = "ok"
    ATTENTION = "attention"
    BROKEN = "broken"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; nothing is ok."""
    return max(verdicts, key=list(Verdict).index, default=Verdict.OK)


def verdict_of(problems: Iterable[Problem]) -> Verdict:
    """Return what problems make of a node: an error is broken, a warning needs attention."""
    return worst(
        Verdict.BROKEN if one.level is Level.ERROR else Verdict.ATTENTION for one in problems
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From where on a lag is told."""

    bytes: int = 64 << 20
    seconds: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far a standby is behind its primary; None: it cannot be known."""

    to_receive: int | None
    """Bytes that the primary wrote and the standby has not; they are lost when it is promoted."""
    to_replay: int | None
    """Bytes that the primary wrote and queries on the standby do not see."""
    seconds: float | None
    since_replay: float | None
    """Seconds since the last transaction that was replayed; grows while the primary is idle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReport:
    """How one node is."""

    name: str
    role: str
    """primary, standby, down, or unknown: it does not let us in"""
    address: str
    release: str
    timeline: int | None
    lag: Lag | None
    slot: str
    """Its slot on the primary and the slot's state; empty: none is known."""
    paused: bool
    message_age: float | None
    """Seconds since the last message from the primary."""
    findings: tuple[Problem, ...]
    remark: str = ""
    """What is to be known, and is no problem."""

    @property
    def verdict(self) -> Verdict:
        """The worst of what was found."""
        return verdict_of(self.findings)

    @property
    def line(self) -> str:
        """All in one line."""
        if self.findings:
            return f"{self.name}: " + "; ".join(one.message for one in self.findings)
        if self.remark:
            return f"{self.name}: {self.remark}"
        if self.lag is None:
            return f"{self.name}: {self.role} on timeline {self.timeline}"
        return f"{self.name}: {self.role} on timeline {self.timeline}, {lag_text(self.lag)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How all nodes are, and what is wrong with them as a whole."""

    nodes: tuple[NodeReport, ...]
    findings: tuple[Problem, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the nodes and of the whole."""
        return worst([verdict_of(self.findings), *(node.verdict for node in self.nodes)])

    def node(self, name: str) -> NodeReport:
        """Return the report of one node."""
        return next(one for one in self.nodes if one.name == name)


def lag_text(lag: Lag) -> str:
    """Return a lag for people."""
    if lag.to_replay is None:
        return "its lag is not known"
    seconds = "" if lag.seconds is None else f", {lag.seconds:.1f} s"
    return f"{lag.to_replay} bytes behind{seconds}"


def lag_of(standby: Up, primary: Up | None) -> Lag:
    """Return the lag of a standby; negative bytes tell that it left the primary's history.

    Seconds are counted only while something waits: the age of the last transaction grows without
    end on an idle primary, and is null after a restart (facts 4.3).
    """
    written = primary.position if primary else None
    return Lag(
        to_receive=bytes_behind(written, standby.end),
        to_replay=bytes_behind(written, standby.replayed),
        seconds=_seconds_behind(standby, written),
        since_replay=standby.replay_age,
    )


def bytes_behind(written: int | None, at: int | None) -> int | None:
    """Return the bytes from a position to what was written, None when one is not known."""
    return None if written is None or at is None else written - at


def _seconds_behind(standby: Up, written: int | None) -> float | None:
    if written is None or standby.replayed is None:
        return None
    if standby.replayed >= written:
        return 0.0
    if standby.end != standby.replayed:
        return standby.replay_age
    # All that came is replayed, and more was written: it is as late as the last message.
    return standby.receiver.message_age if standby.receiver else None
