"""What is seen of the nodes of a replication at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


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
    speaks: bool
    """A PostgreSQL server is there, though it does not let us in."""


Node: TypeAlias = Up | Down
