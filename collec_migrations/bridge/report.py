"""What `verify` found."""

from dataclasses import dataclass

from collec_migrations.bridge.answer import Detection
from collec_migrations.bridge.difference import Difference, Severity
from collec_migrations.bridge.owners import Owners
from collec_migrations.names import Names
from collec_migrations.versions import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every difference between a database and the version it should be."""

    names: Names
    version: str
    shape: Shape
    differences: tuple[Difference, ...]
    owners: Owners
    detection: Detection

    @property
    def is_sound(self) -> bool:
        """Say whether nothing but cosmetic things differ."""
        return all(one.severity is Severity.COSMETIC for one in self.differences)

    @property
    def breaking(self) -> tuple[Difference, ...]:
        """The differences that break the application."""
        return tuple(one for one in self.differences if one.severity is Severity.BREAKS)
