"""What a run takes out of sight: how much there is of it, and what of the site's own refers to it.

By two catalogs and the renames between them, in either direction; needs neither Alembic nor a
parser. A relation is named as it is before the run.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import versions
from collec_migrations.errors import Problem
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement

_HINT = (
    "These objects are not the application's. Save their definitions, drop them, run the {run}, "
    "and make again what still fits."
)


class Move(NamedTuple):
    """One schema's way from the version it is at to another."""

    role: str
    old: str
    new: str


class Archived(NamedTuple):
    """Rows or values that leave the application's sight; those that users entered are kept."""

    table: str
    """With its schema."""
    column: str | None
    """None: the whole table."""
    rows: int
    """Rows, or values that are not null."""


def counted(cursor: Cursor, names: Names, moves: Sequence[Move]) -> Iterator[Archived]:
    """Yield what the database has of what these moves take away, with its rows or values.

    Raises psycopg2.Error where the role may not read a table.
    """
    for role, old, new in moves:
        schema = names.by_default_name[role]
        cursor.execute(statement("columns_of_tables"), {"schema": schema})
        there: dict[str, list[str]] = dict(cursor.fetchall())
        wanted: dict[str, list[str | None]] = {}
        for table, column in versions.removed(old, new, role):
            if table in there and (column is None or column in there[table]):
                wanted.setdefault(table, []).append(column)
        for table, columns in wanted.items():
            query = sql.SQL("select {} from {}").format(
                sql.SQL(", ").join(
                    sql.SQL("pg_catalog.count({})").format(
                        sql.Identifier(one) if one else sql.SQL("*")
                    )
                    for one in columns
                ),
                sql.Identifier(schema, table),
            )
            cursor.execute(query)
            for column, rows in zip(columns, cursor.fetchone() or (), strict=True):
                yield Archived(f"{schema}.{table}", column, rows)


def dependents(cursor: Cursor, names: Names, moves: Sequence[Move]) -> Iterator[Problem]:
    """Yield what the site has of its own that refers to what these moves take away."""
    schemas = names.by_default_name
    live = [schemas[role] for role in ("gacl", "col")]
    cursor.execute(statement("dependents"), {"schemas": live})
    known = {
        (fact.kind, schemas[fact.role], fact.name)
        for _, old, _ in moves
        for fact in versions.upgraded(old).facts
        if fact.kind in ("table", "view") and fact.role in schemas
    }
    foreign = [row for row in cursor.fetchall() if tuple(row[:3]) not in known]
    for role, old, new in moves if foreign else ():
        gone = set(versions.removed(old, new, role))
        gone |= {(view, None) for view in _views(old, role) - _views(new, role)}
        upward = versions.position(new) > versions.position(old)
        for kind, schema, name, shown, target_schema, target, column in foreign:
            if target_schema != schemas[role]:
                continue
            if (target, None) in gone:
                what = target
            elif (target, column) in gone:
                what = f"{target}.{column}"
            else:
                continue
            yield Problem(
                message=f"the {kind} {shown or f'{schema}.{name}'} refers to"
                f" {target_schema}.{what}, which version {new} does not have",
                hint=_HINT.format(run="upgrade" if upward else "downgrade"),
            )


def _views(version: str, role: str) -> set[str]:
    return {
        fact.name
        for fact in versions.upgraded(version).facts
        if (fact.role, fact.kind) == (role, "view")
    }
