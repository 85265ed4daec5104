"""Fill a database with the rows of a plan, one statement for each table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from psycopg2 import extensions, sql

from collec_migrations.names import Names
from collec_migrations.testing.sample_data import inventory, plan, session


@dataclass(frozen=True, slots=True)
class Filled:
    """How many rows were added to each table, by `role.table`."""

    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A table of the plan as this database has it."""

    table: plan.Table
    schema: str
    name: str
    columns: Mapping[str, str]
    """Name to type."""


def fill(
    connection: extensions.connection, names: Names, *, movements: int = 1000, seed: int = 1
) -> Filled:
    """Add a laboratory's data to every table but `dbversion`; the caller commits.

    The same seed makes the same rows, on every server. Rows that are there already stay: ids go
    on from the greatest, and sequences end there. Nothing but rows and sequences changes.
    """
    columns = inventory.columns(connection, names)
    targets = _targets(columns, names)
    values = _values(connection, targets, names, movements)
    with session.unchecked(connection):
        filled = {
            f"{target.table.role}.{target.name}": _fill(
                connection, target, values | _own_values(target.table, values, seed)
            )
            for target in targets
        }
    inventory.advance_sequences(connection, names, columns)
    return Filled(filled)


def _targets(columns: Iterable[inventory.Column], names: Names) -> tuple[Target, ...]:
    """Return the tables of the plan that this database has."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for column in columns:
        found.setdefault((column.role, column.table), {})[column.name] = column.type
    return tuple(
        Target(
            table=table,
            schema=names.gacl if table.role == "gacl" else names.col,
            name=name,
            columns=found[table.role, name],
        )
        for table in plan.TABLES
        for name in (table.name, table.renamed_from)
        if (table.role, name) in found
    )


def _values(
    connection: extensions.connection, targets: Iterable[Target], names: Names, movements: int
) -> dict[str, int]:
    """Return what queries need to know of each other: the first id and the size of each table."""
    size = plan.sizes(movements)
    taken: dict[str, int] = {}
    for role, schema in (("gacl", names.gacl), ("col", names.col)):
        ids = {t.name: t.table.key for t in targets if t.table.role == role and t.table.key}
        taken |= inventory.greatest(connection, schema, ids)
    values = {"movers": plan.movers(size)}
    for table in plan.TABLES:
        values[f"{table.name}_first"] = taken.get(table.name, 0) + 1
        values[f"{table.name}_count"] = size[table.name]
    return values


def _own_values(table: plan.Table, values: Mapping[str, int], seed: int) -> dict[str, int]:
    """Return what the query of one table needs for itself."""
    mixed = sha256(f"{seed} {table.name}".encode()).digest()
    return {
        "first": values[f"{table.name}_first"],
        "count": values[f"{table.name}_count"],
        "seed": int.from_bytes(mixed[:4]) >> 1,
    }


def _fill(connection: extensions.connection, target: Target, values: Mapping[str, int]) -> int:
    """Run the query of a table into it and return how many rows it gave."""
    with connection.cursor() as cursor:
        # Values first, names after: a `%` in a schema's name is no placeholder.
        query = sql.SQL(cursor.mogrify(_query(target.table), values).decode())
        cursor.execute(sql.SQL("select * from (\n{}\n) as draft limit 0").format(query))
        given = [column.name for column in cursor.description or ()]
        cursor.execute(_insert(target, query, [c for c in given if c in target.columns]))
        return cursor.rowcount


def _query(table: plan.Table) -> str:
    """Return the query that gives the rows of a table, with the columns of all versions."""
    here = files(__package__)
    query = (here / "tables" / f"{table.name}.sql").read_text("utf-8")
    return query if table.well_known else f"with {(here / 'made.sql').read_text('utf-8')}\n{query}"


def _insert(target: Target, query: sql.Composable, columns: list[str]) -> sql.Composed:
    """Return the statement that adds what the query gives for the columns that exist."""
    # Types have no placeholder; these come from format_type.
    cast = sql.SQL("draft.{}::{}")
    statement = sql.SQL("insert into {} ({}) select {} from (\n{}\n) as draft").format(
        sql.Identifier(target.schema, target.name),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(
            cast.format(sql.Identifier(c), sql.SQL(target.columns[c])) for c in columns
        ),
        query,
    )
    if not target.table.well_known:
        return statement
    return statement + sql.SQL(
        " where not exists (select 1 from {table} as there where there.{key} = draft.{key})"
    ).format(table=sql.Identifier(target.schema, target.name), key=sql.Identifier(target.table.key))
