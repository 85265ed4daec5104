"""What is found about the nodes of a replication, as values."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a node is, from good to bad."""

    OK = "ok"
    ATTENTION = "attention"
    BROKEN = "broken"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; nothing is ok."""
    return max(verdicts, key=list(Verdict).index, default=Verdict.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be, and what to do."""

    code: str
    """Stable, for programs: `diverged`, `slot-lost` ..."""
    verdict: Verdict
    line: str
    hint: str = ""


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
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of what was found."""
        return worst(one.verdict for one in self.findings)

    @property
    def line(self) -> str:
        """All in one line."""
        if self.findings:
            return f"{self.name}: " + "; ".join(one.line for one in self.findings)
        if self.lag is None:
            return f"{self.name}: {self.role} on timeline {self.timeline}"
        return f"{self.name}: {self.role} on timeline {self.timeline}, {told(self.lag)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How all nodes are, and what is wrong with them as a whole."""

    nodes: tuple[NodeReport, ...]
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the nodes and of the whole."""
        whole = [one.verdict for one in self.findings]
        return worst([*whole, *(node.verdict for node in self.nodes)])

    def node(self, name: str) -> NodeReport:
        """Return the report of one node."""
        return next(one for one in self.nodes if one.name == name)


def told(lag: Lag) -> str:
    """Return a lag for people."""
    if lag.to_replay is None:
        return "its lag is not known"
    seconds = "" if lag.seconds is None else f", {lag.seconds:.1f} s"
    return f"{lag.to_replay} bytes behind{seconds}"
