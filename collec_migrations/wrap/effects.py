"""What a step of the application's own took away, seen by looking before and after it."""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge import read_catalog
from collec_migrations.catalog import Catalog
from collec_migrations.names import Names

_OTHERS = ("view", "sequence", "function", "trigger", "type")
"""Kinds of facts that hold no rows: they are named when they went."""

_COLUMNS = """
select c.oid, n.nspname, c.relname, a.attnum, a.attname,
       pg_catalog.format_type(a.atttypid, a.atttypmod)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
left join pg_catalog.pg_attribute a on a.attrelid operator(pg_catalog.=) c.oid
     and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped
where n.nspname operator(pg_catalog.=) any (%(schemas)s::pg_catalog.name[])
      and c.relkind in ('r', 'p')
order by 2, 3, 4
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as it is at a moment; what is renamed keeps its numbers."""

    shown: str
    columns: dict[int, tuple[str, str]]
    """Name and type, by number."""
    rows: int
    values: dict[int, int]
    """How many are not null, by column; looked at before the step alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a pair of schemas holds at a moment."""

    catalog: Catalog
    tables: dict[int, Table]


def look(cursor: Cursor, names: Names, before: Look | None = None) -> Look:
    """Return what there is now, each table counted: all values of all columns, or afterwards the
    rows of those tables that were there before."""
    schemas = [names.gacl, names.col]
    cursor.execute(_COLUMNS, {"schemas": schemas})
    found: dict[int, tuple[str, str, dict[int, tuple[str, str]]]] = {}
    for oid, schema, table, number, column, type_ in cursor.fetchall():
        columns = found.setdefault(oid, (schema, table, {}))[2]
        if number is not None:
            columns[number] = (column, type_)
    numbers = [oid for oid in found if before is None or oid in before.tables]
    tables: dict[int, Table] = {}
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        counts = (_count_of(oid, found[oid], values=before is None) for oid in some)
        cursor.execute(sql.SQL(" union all ").join(counts))
        counted = {oid: (rows, values) for oid, rows, values in cursor.fetchall()}
        for oid in some:
            schema, table, columns = found[oid]
            rows, values = counted[oid]
            tables[oid] = Table(
                shown=f"{schema}.{table}",
                columns=columns,
                rows=rows,
                values=dict(zip(columns, values, strict=False)),
            )
    return Look(catalog=read_catalog(cursor.connection, names), tables=tables)


_AT_ONCE = 100
"""Tables counted by one query: a server answers as fast as it reads, a network does not."""


def _count_of(
    oid: int, of: tuple[str, str, dict[int, tuple[str, str]]], *, values: bool
) -> sql.Composed:
    schema, table, columns = of
    counts = [sql.SQL("pg_catalog.count({})").format(sql.Identifier(name))
              for name, _ in (columns.values() if values else ())]  # fmt: skip
    return sql.SQL("select {}, pg_catalog.count(*), array[{}]::pg_catalog.int8[] from {}").format(
        sql.Literal(oid), sql.SQL(", ").join(counts), sql.Identifier(schema, table)
    )


def told(before: Look, after: Look) -> Iterator[str]:
    """Yield a line for everything that went: tables, rows, columns, types, and other objects."""
    for oid, old in before.tables.items():
        new = after.tables.get(oid)
        if new is None:
            yield f"table {old.shown} was dropped, with {_number(old.rows, 'row')}"
            continue
        if new.rows < old.rows:
            yield f"table {old.shown} lost {_number(old.rows - new.rows, 'row')} of {old.rows:,}"
        for number, (name, type_) in old.columns.items():
            if number not in new.columns:
                values = _number(old.values[number], "value")
                yield f"column {old.shown}.{name} was dropped, with {values}"
            elif new.columns[number][1] != type_:
                yield f"column {old.shown}.{name} was {type_} and is {new.columns[number][1]} now"
    left = {(fact.role, fact.kind, fact.name) for fact in after.catalog.facts}
    for fact in sorted(before.catalog.facts):
        if fact.kind in _OTHERS and (fact.role, fact.kind, fact.name) not in left:
            yield f"{fact.kind} {fact.name} of the {_SCHEMA[fact.role]} schema is gone"


_SCHEMA = {"gacl": "rights", "col": "data"}


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
