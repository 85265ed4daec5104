"""Count what the statements of a plan drop, of what is there now."""

from collections.abc import Callable

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import locks
from collec_migrations.locks import Relation
from collec_migrations.migrate.planned import Archived, PlannedStep

Counter = Callable[[Cursor, Relation, str | None], int]
"""Says how many rows a table has, or values that are not null."""


def archived(
    cursor: Cursor, steps: tuple[PlannedStep, ...], counted: Counter
) -> tuple[Archived, ...]:
    """Count what the steps take out of sight, of what is there now; wrapped ones do not say."""
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
