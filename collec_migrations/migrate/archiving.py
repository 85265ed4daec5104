"""Refuse a step down whose rows could not be archived, naming tables and counts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.errors import DowngradeRefused
from collec_migrations.migrate import known, reference
from collec_migrations.names import Names
from collec_migrations.postgres import quoting

RENAMED = frozenset({("storage", "storage_location")})
"""Columns that a step down only renames: nothing of them needs an archive."""

_WRITABLE = """
select coalesce(
    (select pg_catalog.has_schema_privilege(n.oid, 'create')
     from pg_catalog.pg_namespace n where n.nspname = %(schema)s),
    pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create'))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One schema's step from a version to the one before."""

    role: str
    schema: str
    archive: str
    version: str
    reached: str | None


@dataclass(frozen=True, slots=True)
class Leaving:
    """A table that the version reached does not have, or columns of one that it has."""

    table: str
    condition: str
    """Which rows need an archive, in SQL."""


def check(cursor: Cursor, step: Step) -> None:
    """Raise `DowngradeRefused` when a step meets rows to archive and may write no archive."""
    cursor.execute(_WRITABLE, {"schema": step.archive})
    row = cursor.fetchone()
    if row and row[0]:
        return
    counted = tuple(_counts(cursor, step))
    if counted:
        shown = ", ".join(f"{step.schema}.{table} ({count})" for table, count in counted)
        raise DowngradeRefused(
            f"this role may not write the archive {step.archive!r}, which version "
            f"{step.reached or 'base'} needs for rows of {shown}; nothing was applied",
            hint="Run as the owner of the schemas with the right to create schemas in this "
            f"database, or let a superuser create the schema {step.archive!r} for that owner.",
        )


def steps(
    names: Names, data: tuple[str, str | None], rights: Iterable[tuple[str, str | None]]
) -> Iterator[Step]:
    """Yield the steps of both schemas, each from (a version, to the one reached)."""
    yield Step(
        role="col", schema=names.col, archive=names.col_archive, version=data[0], reached=data[1]
    )
    for version, reached in rights:
        yield Step(
            role="gacl",
            schema=names.gacl,
            archive=names.gacl_archive,
            version=version,
            reached=reached,
        )


def leaving(step: Step) -> tuple[Leaving, ...]:
    """Return what a step removes: whole tables, and columns where they say something."""
    before, after = known.tables(step.version, step.role), known.tables(step.reached, step.role)
    whole = [Leaving(table, "true") for table in before - after - {reference.VERSION_ROWS}]
    kept = known.columns(step.reached, step.role)
    conditions: dict[str, list[str]] = {}
    for (table, column), definition in known.columns(step.version, step.role).items():
        if table in after and (table, column) not in kept and (table, column) not in RENAMED:
            conditions.setdefault(table, []).append(_says_something(column, definition))
    partly = [Leaving(table, " or ".join(parts)) for table, parts in conditions.items()]
    return tuple(sorted([*whole, *partly], key=lambda one: one.table))


def _says_something(column: str, definition: str) -> str:
    """Return the condition that a column holds neither nothing nor its default."""
    name = quoting.identifier(column)
    _, separator, default = definition.partition(" default ")
    return f"{name} <> {default}" if separator else f"{name} is not null"


def _counts(cursor: Cursor, step: Step) -> Iterator[tuple[str, int]]:
    for one in leaving(step):
        table = f"{quoting.identifier(step.schema)}.{quoting.identifier(one.table)}"
        cursor.execute(f"select count(*) from {table} where {one.condition}")
        row = cursor.fetchone()
        if row and row[0]:
            yield one.table, int(row[0])
