"""What `detect` answers."""

from dataclasses import dataclass, field
from enum import StrEnum

from collec_migrations.bridge.difference import Difference, Severity
from collec_migrations.bridge.records import Records
from collec_migrations.names import Names
from collec_migrations.versions import Shape


class Answer(StrEnum):
    """The kinds of answer."""

    EXACT = "exact"
    DIFFERENCES = "differences"
    BETWEEN = "between"
    AMBIGUOUS = "ambiguous"
    LATER = "later"
    """It says to be at a version that is later than all that are known here."""
    OLDER = "older"
    """A database of a release before 1.0: it has a part of what 1.0 has."""
    OTHER = "not-collec"
    EMPTY = "empty"
    ONLY_GACL = "only-gacl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What one pair of schemas is, and why."""

    names: Names
    answer: Answer
    versions: tuple[str, ...] = ()
    """One; two (older, newer) when between; all that fit when ambiguous."""
    shape: Shape | None = None
    differences: tuple[Difference, ...] = ()
    """From the version; when between, from the newer one: what is still to do."""
    done: tuple[Difference, ...] = ()
    """When between: what was done, as differences from the older version."""
    why: tuple[str, ...] = ()
    records: Records = field(default_factory=Records)
    expected: str = ""
    """The version that the application asks for: empty when it was not read."""

    @property
    def version(self) -> str | None:
        """The one version that the structure is, None when it is not one."""
        one = self.answer in (Answer.EXACT, Answer.DIFFERENCES)
        return self.versions[0] if one else None

    @property
    def is_sound(self) -> bool:
        """Say whether the database is a version and nothing but cosmetic differs from it."""
        return self.version is not None and not self.serious

    @property
    def serious(self) -> tuple[Difference, ...]:
        """The differences that count: not the cosmetic ones, nor a default that was frozen."""
        return tuple(
            one
            for one in self.differences
            if one.severity is not Severity.COSMETIC and not one.is_frozen_default
        )

    @property
    def breaking(self) -> tuple[Difference, ...]:
        """The differences that break the application."""
        return tuple(one for one in self.differences if one.severity is Severity.BREAKS)
