"""Count what the statements of a plan drop, of what is there now."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import locks
from collec_migrations.locks import Relation
from collec_migrations.migrate.planned import Archived, PlannedStep
from collec_migrations.migrate.run import Run

Counter = Callable[[Cursor, Relation, str | None], int]
"""Says how many rows a table has, or values that are not null."""


def archived(
    cursor: Cursor, run: Run, steps: tuple[PlannedStep, ...], counted: Counter
) -> Iterator[Archived]:
    """Yield what steps take out of sight, and say where there is no way back."""
    wrapped = {step.new for step in run.wrapped}
    built_in = tuple(step for step in steps if step.version not in wrapped)
    others = tuple(step for step in steps if step.version in wrapped)
    yield from _dropped(cursor, built_in, counted)
    yield from (replace(one, for_good=True) for one in _dropped(cursor, others, counted))


def _dropped(
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
