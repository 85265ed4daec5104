"""Alembic's `on_version_apply`: the history row of each step, within the step's transaction."""

from collections.abc import Callable, Set
from typing import TYPE_CHECKING, Any

from alembic.runtime.migration import MigrationInfo
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge import history

if TYPE_CHECKING:
    from collec_migrations.migrate.run import Run


def callback(run: Callable[[], "Run"]) -> Callable[..., None]:
    """Return the function that Alembic calls after each step of `run`."""

    def record(*, step: MigrationInfo, heads: Set[Any], **_: Any) -> None:
        run().record(version=next(iter(heads), None), kind=kind(step))

    return record


def kind(step: MigrationInfo) -> history.Kind:
    """Return what kind of event a step is in a schema's history."""
    if step.is_stamp:
        return "stamped"
    return "applied" if step.is_upgrade else "downgraded"


def stamp_rights(cursor: Cursor, schema: str, version: str | None) -> None:
    """Record that the rights schema is found at a version, unless its history says so already."""
    past = history.read(cursor, schema)
    if version != (past[-1].version if past else None):
        history.record(cursor, schema, history.Entry(version=version, kind="stamped"))
