"""What an upgrade would do, found out by reading alone: statements, locks, what goes where."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge import holdings, ownership, state
from collec_migrations.locks import World
from collec_migrations.migrate import (
    leaving,
    obstacles,
    planning,
    refusal,
    required_extensions,
    surroundings,
)
from collec_migrations.migrate.draft import Draft, Unheard
from collec_migrations.migrate.job import Job
from collec_migrations.migrate.obstacles import Needs, Obstacle
from collec_migrations.migrate.planned import PairPlan, Plan, PlannedScript, PlannedStep
from collec_migrations.migrate.required_extensions import Use
from collec_migrations.migrate.run import Run
from collec_migrations.migrate.wrapped_step import WrappedStep
from collec_migrations.names import Names
from collec_migrations.postgres import extensions, privileges
from collec_migrations.postgres.connection import Connection
from collec_migrations.settings import Settings


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
        if connection.server_version < obstacles.OLDEST or not privileges.unhindered(cursor):
            obstacles.refuse(survey(job, cursor, counted=surroundings.holds).obstacles)


def survey(job: Job, cursor: Cursor, *, counted: leaving.Counter = surroundings.count) -> Plan:
    """Return the plan of an upgrade; only reads, within the transaction that is open.

    Raises `NotAdopted` for what an upgrade refuses.
    """
    schemas = tuple(
        schema for names in job.settings.pairs for schema in names.by_default_name.values()
    )
    found = privileges.read(cursor, schemas)
    world = surroundings.read(cursor, schemas)
    pairs: list[PairPlan] = []
    needs: list[Needs] = []
    ahead: list[Obstacle] = []
    rights_version: str | None = None
    for number, names in enumerate(job.settings.pairs):
        present = state.read(cursor, names)
        refusal.refuse_unadopted(names, present)
        refusal.refuse_unknown(names, present, job.versions)
        run = job.run_for(
            names,
            Draft(world),
            rights_version=rights_version if number else present.rights_version,
        )
        pair = _pair(cursor, job, run, present, counted)
        rights_version = run.rights_version
        pairs.append(pair)
        if uses := _uses(run):
            ahead += [
                Obstacle(message=lack.message, hint=lack.hint)
                for lack in required_extensions.lacking(uses, extensions.read(cursor))
            ]
        needs.append(_needs(pair))
    return Plan(
        database=found.database,
        role=found.role,
        server_version=found.version,
        settings=job.settings,
        pairs=tuple(pairs),
        obstacles=(*obstacles.found(found, needs), *dict.fromkeys(ahead)),
    )


def extensions_used(job: Job, names: Names) -> tuple[Use, ...]:
    """Return the extensions that the steps of a fresh database use; asks no server."""
    run = job.run_for(names, Unheard(World()), rights_version=None)
    _steps(job, run, None)
    return _uses(run)


def _uses(run: Run) -> tuple[Use, ...]:
    return tuple(
        Use(name=name, place=step.script.sources[0].shown, made=True)
        for step in run.wrapped
        for name in step.script.extensions
    )


def _pair(
    cursor: Cursor, job: Job, run: Run, present: state.State, counted: leaving.Counter
) -> PairPlan:
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
        archived=leaving.archived(cursor, steps, counted),
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
            notes = tuple(note for one in run.wrapped[wrapped_before:] for note in _notes(one))
            steps.append(replace(_step(step, tuple(draft.scripts)), notes=notes))
    return tuple(steps)


def _notes(step: WrappedStep) -> tuple[str, ...]:
    return (
        *step.script.notes,
        "a script of the application's own: what it locks and takes away is unknown;"
        " `collec-migrations rehearse` measures it on a copy",
        "it has no downgrade: a backup is taken before it",
    )


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
