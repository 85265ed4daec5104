"""One difference between what a database is and what its version should be."""

from dataclasses import dataclass, replace
from enum import StrEnum

from collec_migrations.catalog import FROZEN, Fact


class Severity(StrEnum):
    """What a difference means for the application."""

    BREAKS = "breaks"
    DIFFERS = "differs"
    COSMETIC = "cosmetic"


class State(StrEnum):
    """What is the matter with the named thing."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"
    RENAMED = "renamed"
    OWNER = "owner"
    RIGHT = "right"
    BEHIND = "behind"
    ORPHANS = "orphans"
    ROW = "row"
    PASSWORD = "password"
    SCRIPT = "script"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One damage: a line of a drift report."""

    severity: Severity
    state: State
    role: str
    """`gacl` or `col`."""
    kind: str
    """table, column, constraint, index, view, sequence, function, trigger, type, or row."""
    name: str
    """As the release names it; `table.column` for what belongs to a table."""
    sentence: str
    expected: str = ""
    observed: str = ""
    """The definition found, or the other name, or the other owner."""
    along: tuple[str, ...] = ()
    """What is missing or other only because of this."""
    facts: tuple[Fact, ...] = ()
    """What is missing, as facts: the named thing and what is missing along with it."""
    known: str = ""
    """Why databases in the field have this, when that is known."""

    @property
    def is_frozen_default(self) -> bool:
        """Say whether it is the default that an installer froze: no matter of version."""
        return self.state is State.CHANGED and f"default '{FROZEN}'" in self.observed

    @property
    def kind_for_grant(self) -> str:
        """The kind as GRANT names it: a view is a table there."""
        return "table" if self.kind == "view" else self.kind

    def explained(self, reason: str, severity: Severity | None = None) -> "Difference":
        """Return the difference with the reason why it is there."""
        return replace(self, known=reason, severity=severity or self.severity)


ORDER = {Severity.BREAKS: 0, Severity.DIFFERS: 1, Severity.COSMETIC: 2}


def ordered(differences: list[Difference]) -> tuple[Difference, ...]:
    """Return the differences, the worst first."""
    return tuple(sorted(differences, key=lambda one: (ORDER[one.severity], one.kind, one.name)))
