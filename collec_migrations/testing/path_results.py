"""What was found out about the ways through the chain. Pure."""

from dataclasses import dataclass

NOTHING = "(nothing)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From a version, or from an empty database, to the newest one and back."""

    start: str | None
    head: str
    rows: int
    """Movements of laboratory data at the start; 0: no rows of a user."""

    @property
    def content(self) -> str:
        """Return what the database holds at the start, in a word."""
        return "filled" if self.rows else "fresh"

    @property
    def title(self) -> str:
        """Return the way in a few words."""
        return f"{self.start or NOTHING} to {self.head}, {self.content}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one way went."""

    way: Way
    up: float | None
    """Seconds to the newest version; None: it did not arrive."""
    back: float | None
    """Seconds back to the start; None: it did not arrive, or there is no way back."""
    failures: tuple[str, ...]
    """What is wrong, one sentence or error each; empty: nothing."""
    remarks: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Return `ok` or `FAILED`."""
        return "FAILED" if self.failures else "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """All ways on one server."""

    server_version: str
    outcomes: tuple[Outcome, ...]
    seconds: float

    @property
    def major(self) -> int:
        """Return the major version of the server."""
        return int(self.server_version.partition(".")[0])

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Return the ways that failed."""
        return tuple(one for one in self.outcomes if one.failures)
