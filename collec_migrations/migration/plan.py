"""What an upgrade would do, found out by reading alone: statements, locks, what goes where."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import library, locks, ownership, scripts
from collec_migrations.database import history, holdings, powers, state, surroundings
from collec_migrations.database.connection import Connection
from collec_migrations.locks import Effects, Relation, World
from collec_migrations.migration import foreseeing, obstacles, planning, refusal
from collec_migrations.migration.job import Job
from collec_migrations.migration.obstacles import Needs, Obstacle
from collec_migrations.migration.run import Run
from collec_migrations.migration.wrapped import Sending
from collec_migrations.names import Names
from collec_migrations.settings import Settings
from collec_migrations.wrapping.extensions import Use


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStatement:
    """A statement of a script and what it does to what was there before."""

    line: int
    text: str
    effects: Effects


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedScript:
    """A script, or the part of it for one of the schemas, with the names of the site."""

    script: str
    """Folder and file."""
    part: str
    """all; or gacl, col when the other schema has gone this step already."""
    statements: tuple[PlannedStatement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One version to reach, by creation or by upgrade."""

    version: str
    kind: str
    """create or upgrade."""
    scripts: tuple[PlannedScript, ...]
    notes: tuple[str, ...] = ()
    """Errata of a wrapped script, extensions and whatever else concerns it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """Rows or values that leave the application's sight; those that users entered are kept."""

    table: str
    column: str | None
    """None: the whole table."""
    rows: int
    """Rows, or values that are not null."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an upgrade would do, and what keeps it from being done."""

    database: str
    role: str
    server_version: int
    settings: Settings
    pairs: tuple[PairPlan, ...]
    obstacles: tuple[Obstacle, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not any(pair.steps for pair in self.pairs)


Counter = Callable[[Cursor, Relation, str | None], int]
"""Says how many rows a table has, or values that are not null."""


@contextmanager
def reading(connection: Connection, settings: Settings) -> Iterator[Cursor]:
    """Give a cursor in a read-only transaction, of which nothing is left behind."""
    timeout = round(settings.lock_timeout * 1000)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"set transaction read only; set local lock_timeout = {timeout}")
            yield cursor
    finally:
        if not connection.closed:
            connection.rollback()


def refuse_obstacles(job: Job, connection: Connection) -> None:
    """Raise `NotPossible` for what the run would fail at; a superuser hardly needs to look."""
    with reading(connection, job.settings) as cursor:
        if connection.server_version < obstacles.OLDEST or not powers.unhindered(cursor):
            obstacles.refuse(survey(job, cursor, counted=surroundings.holds).obstacles)


def survey(job: Job, cursor: Cursor, *, counted: Counter = surroundings.count) -> Plan:
    """Return the plan of an upgrade; only reads, within the transaction that is open.

    Raises `NotAdopted` for what an upgrade refuses.
    """
    schemas = tuple(
        schema for names in job.settings.pairs for schema in names.by_default_name.values()
    )
    found = powers.read(cursor, schemas)
    world = surroundings.read(cursor, schemas)
    pairs: list[PairPlan] = []
    needs: list[Needs] = []
    wrapped: list[Sending] = []
    rights_version: str | None = None
    for number, names in enumerate(job.settings.pairs):
        present = state.read(cursor, names)
        refusal.refuse_unadopted(names, present)
        run = job.run_for(
            names,
            Draft(world),
            rights_version=rights_version if number else present.rights_version,
        )
        pair = _pair(cursor, job, run, present, counted)
        rights_version = run.rights_version
        pairs.append(pair)
        wrapped += run.wrapped
        needs.append(_needs(pair))
    return Plan(
        database=found.database,
        role=found.role,
        server_version=found.version,
        settings=job.settings,
        pairs=tuple(pairs),
        obstacles=(*obstacles.found(found, needs), *foreseeing.obstacles(cursor, wrapped)),
    )


def extensions_used(job: Job, names: Names) -> tuple[Use, ...]:
    """Return the extensions that the steps of a fresh database use; asks no server."""
    run = job.run_for(names, Unheard(World()), rights_version=None)
    _steps(job, run, None)
    return tuple(use for step in run.wrapped for use in step.uses)


@dataclass(slots=True)
class Draft:
    """Takes what a run would send, and notes what it does."""

    world: World
    scripts: list[PlannedScript] = field(default_factory=list)

    def send(self, sql: str, *, shown: str) -> None:
        """Note a script's statements and their effects."""
        statements = tuple(
            PlannedStatement(
                line=statement.line,
                text=statement.text,
                effects=locks.effects(self.world, statement.text),
            )
            for statement in scripts.split(sql)
        )
        part = "all" if len(statements) == _whole(shown, len(statements)) else "part"
        self._add(PlannedScript(script=shown, part=part, statements=statements))

    def _add(self, script: PlannedScript) -> None:
        """Note a script, or more of one that is sent piece by piece."""
        for number, known in enumerate(self.scripts):
            if known.script == script.script:
                joined = known.statements + script.statements
                self.scripts[number] = replace(known, statements=joined)
                return
        self.scripts.append(script)

    def execute(self, sql: str) -> None:
        """Note what a statement of the tool's own does."""
        locks.effects(self.world, sql)

    def inspect(self, check: Callable[[Cursor], None]) -> None:
        """Do nothing: what the step will meet is not there yet."""

    def record(self, schema: str, entry: history.Entry) -> None:
        """Note nothing: the history belongs to the tool."""

    def settle(self) -> None:
        """Note nothing: what is new gets its owner before anybody sees it."""


class Unheard(Draft):
    """Takes what a run would send, and notes nothing: the run itself knows what it needs."""

    def send(self, sql: str, *, shown: str) -> None:
        """Note nothing."""

    def execute(self, sql: str) -> None:
        """Note nothing."""


def _whole(shown: str, sent: int) -> int:
    """Return how many statements a built-in script has; of a wrapped one all are sent at once."""
    path = library.scripts_folder() / shown.rpartition("/")[2]
    if shown != f"{path.parent.name}/{path.name}" or not path.is_file():
        return sent
    return len(scripts.split(library.load(path.name).text))


def _pair(cursor: Cursor, job: Job, run: Run, present: state.State, counted: Counter) -> PairPlan:
    rights_before = run.rights_version
    steps = _steps(job, run, present.recorded)
    owners = [
        ownership.rightful_owner(holdings.read(cursor, schema), tool_tables=state.TOOL_TABLES)
        for schema in (run.names.gacl, run.names.col)
    ]
    return PairPlan(
        names=run.names,
        recorded=present.recorded,
        target=steps[-1].version if steps else present.recorded,
        rights_version=rights_before,
        gacl_owner=owners[0],
        col_owner=owners[1],
        steps=steps,
        archived=_archived(cursor, steps, counted),
    )


def _steps(job: Job, run: Run, recorded: str | None) -> tuple[PlannedStep, ...]:
    """Let the revisions send what they would, into a draft."""
    draft = run.sink
    assert isinstance(draft, Draft)
    heads = () if recorded is None else (recorded,)
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "collec_run": run}
    )
    steps: list[PlannedStep] = []
    with Operations.context(context):
        for step in planning.followed(job.work, run)(heads, context):
            draft.scripts = []
            wrapped_before = len(run.wrapped)
            step.migration_fn()
            notes = foreseeing.notes(run.wrapped[wrapped_before:])
            steps.append(replace(_step(step, tuple(draft.scripts)), notes=notes))
    return tuple(steps)


def _step(step: Any, sent: tuple[PlannedScript, ...]) -> PlannedStep:
    module = step.revision.module
    created = not any(script.script.endswith(getattr(module, "script", "?")) for script in sent)
    return PlannedStep(
        version=step.revision.revision,
        kind="create" if created else "upgrade",
        scripts=tuple(_named_part(script, created=created) for script in sent),
    )


def _named_part(script: PlannedScript, *, created: bool) -> PlannedScript:
    """Say which part is sent: the rights schema lags behind only where a schema is created."""
    if script.part == "all":
        return script
    part = "gacl" if created else "col"
    return PlannedScript(script=script.script, part=part, statements=script.statements)


def _archived(
    cursor: Cursor, steps: tuple[PlannedStep, ...], counted: Counter
) -> tuple[Archived, ...]:
    """Count what the steps take out of sight, of what is there now."""
    removals = dict.fromkeys(
        (removal.relation, removal.column)
        for step in steps
        for script in step.scripts
        for statement in script.statements
        for removal in statement.effects.removals
        if removal.relation is not locks.ANY
    )
    whole = {relation for relation, column in removals if column is None}
    return tuple(
        Archived(table=str(relation), column=column, rows=counted(cursor, relation, column))
        for relation, column in removals
        if column is None or relation not in whole
    )


def _needs(pair: PairPlan) -> Needs:
    statements = [
        statement
        for step in pair.steps
        for script in step.scripts
        for statement in script.statements
    ]
    return Needs(
        names=pair.names,
        gacl_owner=pair.gacl_owner,
        col_owner=pair.col_owner,
        idle=not pair.steps,
        creates_rights=pair.rights_version is None,
        touches_rights=any(script.part != "col" for step in pair.steps for script in step.scripts),
        archives=any(item.rows for item in pair.archived),
        effects=tuple(statement.effects for statement in statements),
    )
