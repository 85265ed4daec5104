"""What the tables of a schema hold, row by row as digests: equal on every server.

Columns are taken in the order of their names: a step that drops a column and a step that brings it
back leave it at another place of the table, with the same rows.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from psycopg2 import extensions, sql

from collec_migrations.postgres.queries import statement

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
        cursor.execute(statement("table_columns"), (schema,))
        return dict(cursor.fetchall())


def fingerprints(
    connection: extensions.connection, schema: str, only: Columns | None = None
) -> dict[str, Counter[str]]:
    """Return a digest of every row of every table, and how often the table holds such a row.

    `only` restricts tables and columns.
    """
    with exact_texts(connection), connection.cursor() as cursor:
        found = {}
        for table, names in (columns(connection, schema) if only is None else only).items():
            query = sql.SQL("select md5({}), count(*) from {} group by 1")
            cursor.execute(query.format(row(names), sql.Identifier(schema, table)))
            found[table] = Counter(dict(cursor.fetchall()))
        return found


def common(one: Columns, other: Columns) -> dict[str, list[str]]:
    """Return the columns that both sides have: what must be the same after a step."""
    return {
        table: sorted(set(one[table]) & set(other[table])) for table in sorted(one.keys() & other)
    }


def row(names: Collection[str]) -> sql.Composed:
    """Return the expression for a row of these columns as a text, which tells null from empty."""
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
