"""What a rehearsal found out. Pure."""

from dataclasses import dataclass

from collec_migrations.backup.lock_watch import Held
from collec_migrations.bridge.difference import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One version of one schema, and how long it took to get there."""

    schema: str
    version: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table before and after, told by PostgreSQL's own number for it."""

    before: str
    after: str
    """Its name afterwards; empty: it is gone."""
    rows_before: int
    rows_after: int

    @property
    def is_same(self) -> bool:
        """Say whether it kept its name and its number of rows."""
        return self.before == self.after and self.rows_before == self.rows_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What the copy was before, or is after."""

    versions: tuple[tuple[str, str], ...]
    """Schema and version."""
    size: int
    wal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that a rehearsal found out."""

    source: str
    server_version: str
    target: str
    refusal: str
    """Why it would not succeed; empty: it would."""
    hint: str
    before: Measures
    after: Measures
    copying: float
    """Seconds to make the copy."""
    seconds: float
    """Of the upgrade itself."""
    adopted: bool
    """The copy had to be put under Alembic's care first."""
    steps: tuple[Step, ...]
    held: tuple[Held, ...]
    drift: tuple[Difference, ...]
    """From the version that it was at."""
    left: tuple[Difference, ...]
    """From the version that it arrived at."""
    tables: tuple[Table, ...]
    archived: tuple[str, ...]

    @property
    def succeeds(self) -> bool:
        """Say whether the upgrade would arrive."""
        return not self.refusal

    @property
    def changed(self) -> tuple[Table, ...]:
        """The tables that did not keep name and number of rows."""
        return tuple(one for one in self.tables if not one.is_same)
