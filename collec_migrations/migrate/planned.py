"""The values of a plan: versions, scripts, statements with their locks, what is archived."""

from dataclasses import dataclass

from collec_migrations.errors import Problem
from collec_migrations.migrate.removed import Archived
from collec_migrations.names import Names
from collec_migrations.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLock:
    """What a statement does to a relation that is there before the run, as measured."""

    table: str
    """With its schema."""
    mode: str
    """As PostgreSQL's manual names it, such as `access exclusive`."""
    rewrites: bool
    scans: bool
    rows: float | None
    """As the server estimates them; None: it never counted (ANALYZE)."""
    bytes: int
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStatement:
    """A statement of a script and what it locks."""

    line: int
    text: str
    locks: tuple[TableLock, ...] | None
    """None: not known, because the script is not part of the chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedScript:
    """A script, or the part of it for one of the schemas, with the names of the site."""

    script: str
    """Folder and file."""
    part: str
    """all; or gacl, col when the other schema has gone this step already."""
    statements: tuple[PlannedStatement, ...]
    wrapped: bool = False
    """Whether it is the application's own: what its statements do is not known before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One version to reach, by creation or by upgrade."""

    version: str
    kind: str
    """create or upgrade."""
    scripts: tuple[PlannedScript, ...]
    notes: tuple[str, ...] = ()
    """What to know of a wrapped script."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPlan:
    """What would happen to one data schema and, through it, to the rights schema."""

    names: Names
    recorded: str | None
    target: str | None
    rights_version: str | None
    gacl_owner: str
    """Owner that new objects of the rights schema get."""
    col_owner: str
    steps: tuple[PlannedStep, ...]
    archived: tuple[Archived, ...]

    @property
    def touches_rights(self) -> bool:
        """Whether a script changes the rights schema."""
        return any(script.part != "col" for step in self.steps for script in step.scripts)

    @property
    def locked(self) -> tuple[tuple[str, str], ...]:
        """The tables that only their owner may change so, each with its owner."""
        found = (
            (lock.table, lock.owner)
            for step in self.steps
            for script in step.scripts
            for planned in script.statements
            for lock in planned.locks or ()
            if lock.mode == "access exclusive"
        )
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an upgrade would do, and what keeps it from being done."""

    database: str
    role: str
    server_version: int
    settings: Settings
    pairs: tuple[PairPlan, ...]
    obstacles: tuple[Problem, ...]

    @property
    def is_wrapped(self) -> bool:
        """Whether a script of the application's own is to run, from which there is no way back."""
        return any(
            script.wrapped for pair in self.pairs for step in pair.steps for script in step.scripts
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not any(pair.steps for pair in self.pairs)
