"""The rows of a schema as exact texts, or as digests when there are many, and their differences.

Columns are taken in the order of their names: a step that drops a column and a step that brings it
back leave it at another place of the table, with the same rows.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from psycopg2 import extensions, sql

Columns = Mapping[str, Collection[str]]
"""Names of columns by table."""

EXACT = {
    "bytea_output": "hex",
    "datestyle": "ISO, YMD",
    "extra_float_digits": "3",
    "intervalstyle": "postgres",
    "timezone": "UTC",
}
"""Settings under which equal texts mean equal values, on every server."""


def columns(connection: extensions.connection, schema: str) -> dict[str, list[str]]:
    """Return the columns of every table of a schema, in the order of their names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.relname, array_remove(array_agg(a.attname::text"
            ' order by a.attname collate "C"), null)'
            " from pg_class c left join pg_attribute a"
            " on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
            " where c.relnamespace = (select oid from pg_namespace where nspname = %s)"
            " and c.relkind in ('r', 'p') group by 1 order by 1",
            (schema,),
        )
        return dict(cursor.fetchall())


def dump_rows(
    connection: extensions.connection, schema: str, only: Columns | None = None
) -> dict[str, list[str]]:
    """Return every row of every table as a text, sorted; `only` restricts tables and columns.

    Texts are those of PostgreSQL's rows, which tell null from empty; json is as stored.
    """
    with exact_texts(connection), connection.cursor() as cursor:
        found = {}
        for table, names in (only or columns(connection, schema)).items():
            text, source = _row(names), sql.Identifier(schema, table)
            cursor.execute(sql.SQL("select {} from {}").format(text, source))
            found[table] = sorted(row for (row,) in cursor)
        return found


def digest(
    connection: extensions.connection, schema: str, only: Columns | None = None
) -> dict[str, tuple[int, int]]:
    """Return the number of rows of every table and a sum over them that no order changes."""
    with exact_texts(connection), connection.cursor() as cursor:
        found = {}
        for table, names in (only or columns(connection, schema)).items():
            cursor.execute(
                sql.SQL(
                    "select count(*), coalesce(sum(('x' || substr(md5({}), 1, 15))::bit(60)"
                    "::bigint), 0)::text from {}"
                ).format(_row(names), sql.Identifier(schema, table))
            )
            count, total = cursor.fetchone() or (0, "0")
            found[table] = (int(count), int(total))
        return found


def common(one: Columns, other: Columns) -> dict[str, list[str]]:
    """Return the columns that both sides have: what must be the same after a step."""
    return {
        table: sorted(set(one[table]) & set(other[table])) for table in sorted(one.keys() & other)
    }


def difference(
    before: Mapping[str, object], after: Mapping[str, object], *, at_most: int = 5
) -> list[str]:
    """Return lines that say how two dumps or two digests differ; empty when they do not."""
    lines = []
    for table in sorted(before.keys() | after):
        if table not in after or table not in before:
            lines.append(f"{table}: only {'before' if table in before else 'after'}")
        elif before[table] != after[table]:
            lines.extend(_lines(table, before[table], after[table], at_most))
    return lines


def _lines(table: str, before: object, after: object, at_most: int) -> Iterator[str]:
    if not (isinstance(before, list) and isinstance(after, list)):
        yield f"{table}: {before} became {after}"
        return
    lost, new = Counter(before) - Counter(after), Counter(after) - Counter(before)
    yield f"{table}: {lost.total()} rows lost, {new.total()} new"
    for sign, rows in (("-", lost), ("+", new)):
        yield from (f"  {sign} {_short(row)}" for row in sorted(rows.elements())[:at_most])


def _short(row: str, size: int = 300) -> str:
    text = ascii(row)[1:-1]
    return text if len(text) <= size else f"{text[:size]}… ({len(row)} characters)"


def _row(names: Collection[str]) -> sql.Composed:
    return sql.SQL("row({})::text").format(sql.SQL(", ").join(map(sql.Identifier, names)))


@contextmanager
def exact_texts(connection: extensions.connection) -> Iterator[None]:
    """Set what decides how values are shown, and put it back unless the block failed."""
    with connection.cursor() as cursor:
        before = {}
        for name, value in EXACT.items():
            cursor.execute(
                "select current_setting(%s), set_config(%s, %s, false)", (name, name, value)
            )
            before[name] = (cursor.fetchone() or ("",))[0]
        yield
        for name, value in before.items():
            cursor.execute("select set_config(%s, %s, false)", (name, value))
