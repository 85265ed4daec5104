"""A day's work in a laboratory: rows added, changed and deleted, as far as the database lets."""

import random
from collections.abc import Iterable

import psycopg2
from psycopg2 import extensions, sql

from tests.builders.memory import Shape
from tests.builders.schema import Table

FIRST_NEW_ID = 10_000_000
SPARED = frozenset({"operation_name"})
"""Columns left alone: their values decide what can come back, which has a test of its own."""


def do(connection: extensions.connection, shape: Shape, *, seed: int, day: int) -> None:
    """Work on half of the tables and commit; `day` tells the ids of one call from another's."""
    dice = random.Random(seed)
    with connection.cursor() as cursor:
        for number, table in enumerate(shape.tables):
            if dice.random() < 0.5:
                _try(cursor, _change(table, dice))
                _try(cursor, _add(table, FIRST_NEW_ID + day * 10_000 + number * 100))
        for table in reversed(shape.tables):
            if dice.random() < 0.5:
                _try(cursor, _delete(table, dice))
    connection.commit()


def _try(cursor: extensions.cursor, statements: Iterable[sql.Composed]) -> None:
    """Run statements; one that a key forbids is as if it had not been tried."""
    for statement in statements:
        cursor.execute("savepoint work")
        try:
            cursor.execute(statement)
        except psycopg2.IntegrityError:
            cursor.execute("rollback to savepoint work")
        cursor.execute("release savepoint work")


def _change(table: Table, dice: random.Random) -> Iterable[sql.Composed]:
    bound = {c for key in table.foreign_keys for c in key.columns} | SPARED
    bound |= {column for unique in table.unique for column in unique}
    for column in table.columns:
        if column.type == "character varying" and column.name not in bound:
            yield sql.SQL("update {} set {} = {} where {}").format(
                sql.Identifier(*table.key),
                sql.Identifier(column.name),
                sql.Literal(f"changed {dice.random()}"),
                _some(dice),
            )


def _add(table: Table, first: int) -> Iterable[sql.Composed]:
    """Copy rows under new ids; what may be empty is empty in some of them."""
    ids = [c for c in table.columns if (c.name,) in table.unique and c.type == "integer"]
    own = [c for c in ids if all((c.name,) != key.columns for key in table.foreign_keys)]
    if len(own) != 1:
        return
    names = [column.name for column in table.columns if column.name != own[0].name]
    others = sql.SQL(", ").join(map(sql.Identifier, names))
    for number in range(3):
        yield sql.SQL("insert into {} ({}{}) select {}{} from {} order by {} limit 1").format(
            sql.Identifier(*table.key),
            sql.Identifier(own[0].name),
            sql.SQL(", ") + others if names else sql.SQL(""),
            sql.Literal(first + number),
            sql.SQL(", ") + others if names else sql.SQL(""),
            sql.Identifier(*table.key),
            sql.Identifier(own[0].name),
        )


def _delete(table: Table, dice: random.Random) -> Iterable[sql.Composed]:
    yield sql.SQL("delete from {} where {}").format(sql.Identifier(*table.key), _some(dice))


def _some(dice: random.Random) -> sql.Composed:
    """Return a condition that holds for a part of the rows, always the same ones."""
    part = sql.Literal(dice.randrange(3))
    return sql.SQL("abs(hashtext(ctid::text)) % 3 = {}").format(part)
