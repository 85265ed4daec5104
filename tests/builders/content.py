"""Arbitrary rows for all tables of a catalog, and their way into a database."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg2 import extensions, sql

from collec_migrations.names import Names
from collec_migrations.testing.sample_data import inventory
from tests.builders.schema import Column, ForeignKey, Key, Table
from tests.builders.values import fitted

Row = dict[str, str | None]
Pools = Mapping[str, Sequence[str]]
"""Values to choose from, by type without modifier."""
HUGE_ROWS = 3
"""Rows of a table that may hold huge values; the others hold at most `MODEST` characters."""
MODEST = 1_000


@dataclass(frozen=True, slots=True)
class Content:
    """Rows for each table, in an order that foreign keys allow; values are texts."""

    tables: tuple[tuple[Table, tuple[Row, ...]], ...]

    def rows(self, name: str) -> tuple[Row, ...]:
        """Return the rows of the table of this name."""
        return next(rows for table, rows in self.tables if table.name == name)

    def __len__(self) -> int:
        return sum(len(rows) for _, rows in self.tables)

    def __repr__(self) -> str:
        counts = ", ".join(f"{table.name}: {len(rows)}" for table, rows in self.tables if rows)
        return f"<content {counts}>"


def compose(
    tables: Iterable[Table], *, counts: Mapping[Key, int], pools: Pools, seed: int
) -> Content:
    """Return rows made of values of the pools, that respect all that the tables demand.

    A table gets fewer rows than asked where nothing can be referred to, or no unique value is
    left. The same arguments give the same rows.
    """
    modest = {kind: _modest(kind, pool) for kind, pool in pools.items()}
    made: dict[Key, tuple[Row, ...]] = {}
    order = []
    for table in tables:
        dice = random.Random(f"{seed} {table.key}")
        made[table.key] = tuple(_rows(table, counts[table.key], (pools, modest), made, dice))
        order.append(table)
    return Content(tuple((table, made[table.key]) for table in order))


def _modest(kind: str, pool: Sequence[str]) -> Sequence[str]:
    """Return the values of a pool that thousands of rows may have: huge ones would fill memory."""
    if kind not in ("character varying", "text", "bytea"):
        return pool
    return [value for value in pool if len(value) <= MODEST] or [pool[0][:MODEST]]


def replace_rows(connection: extensions.connection, names: Names, content: Content) -> None:
    """Empty the tables of a content, then insert its rows; the caller commits.

    Sequences go on to the greatest id. One statement for each table.
    """
    # Deleting is faster than truncating: 40 tables with their indexes are 200 new files.
    empty = sql.SQL("delete from {}")
    every = [empty.format(_identifier(table, names)) for table, _ in reversed(content.tables)]
    with inventory.unchecked(connection), connection.cursor() as cursor:
        cursor.execute(sql.SQL(";").join(every))
        for table, rows in content.tables:
            if rows:
                arrays = [[row[column.name] for row in rows] for column in table.columns]
                texts = cursor.mogrify(", ".join(["%s::text[]"] * len(arrays)), arrays)
                cursor.execute(_insert(table, names, sql.SQL(texts.decode())))
    inventory.advance_sequences(connection, names, inventory.columns(connection, names))


def _rows(
    table: Table,
    count: int,
    pools: tuple[Pools, Pools],
    made: Mapping[Key, tuple[Row, ...]],
    dice: random.Random,
) -> list[Row]:
    ids = _ids(count, dice)
    seen: set[tuple[str | None, ...]] = set()
    rows = []
    for number in range(count):
        row = _row(table, ids[number], pools[number >= HUGE_ROWS], made, dice)
        if row is None:
            continue
        keys = [
            (str(index), *(row[c] for c in unique)) for index, unique in enumerate(table.unique)
        ]
        if not any(key in seen for key in keys):
            seen.update(key for key in keys if None not in key)
            rows.append(row)
    _refer_to_own(table, rows, dice)
    return rows


def _row(
    table: Table,
    own_id: str,
    pools: Pools,
    made: Mapping[Key, tuple[Row, ...]],
    dice: random.Random,
) -> Row | None:
    """Return a row, or None when it would have to refer to a row that does not exist."""
    row: Row = {}
    for foreign_key in table.foreign_keys:
        if foreign_key.table == table.key:
            row |= dict.fromkeys(foreign_key.columns)
            continue
        parents = made.get(foreign_key.table, ())
        if parents and not (table.nullable(foreign_key) and dice.random() < 0.2):
            row |= _reference(foreign_key, dice.choice(parents))
        elif table.nullable(foreign_key):
            row |= dict.fromkeys(foreign_key.columns)
        else:
            return None
    for column in table.columns:
        if column.name not in row:
            is_id = (column.name,) in table.unique and column.type == "integer"
            row[column.name] = own_id if is_id else _value(column, pools, dice)
    return row


def _reference(foreign_key: ForeignKey, parent: Row) -> Row:
    pairs = zip(foreign_key.columns, foreign_key.targets, strict=True)
    return {column: parent[target] for column, target in pairs}


def _refer_to_own(table: Table, rows: list[Row], dice: random.Random) -> None:
    """Let rows refer to rows of the same table: others, themselves, in circles."""
    for foreign_key in table.foreign_keys:
        if foreign_key.table == table.key:
            for row in rows:
                if not table.nullable(foreign_key) or dice.random() < 0.7:
                    row |= _reference(foreign_key, dice.choice(rows))


def _ids(count: int, dice: random.Random) -> list[str]:
    """Return different ids with gaps; now and then one that no sequence would give."""
    ids = dice.sample(range(1, 1_000_000 + count), count)
    if ids and dice.random() < 0.1:
        ids[0] = dice.choice((0, -1, -2147483648))
    return [str(number) for number in ids]


def _value(column: Column, pools: Pools, dice: random.Random) -> str | None:
    pool = pools.get(column.type.partition("(")[0])
    if pool is None or (column.nullable and dice.random() < 0.2):
        return None
    return fitted(column.type, indexed=column.indexed)(dice.choice(pool))


def _identifier(table: Table, names: Names) -> sql.Identifier:
    return sql.Identifier(names.gacl if table.role == "gacl" else names.col, table.name)


def _insert(table: Table, names: Names, arrays: sql.SQL) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    values = sql.SQL(", ").join(
        sql.SQL("given.{}::{}").format(sql.Identifier(column.name), sql.SQL(column.type))
        for column in table.columns
    )
    return sql.SQL("insert into {} ({}) select {} from unnest({}) as given ({})").format(
        _identifier(table, names), columns, values, arrays, columns
    )
