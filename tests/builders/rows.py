"""The rows of a schema as exact texts, and the differences of two dumps or digests."""

from collections import Counter
from collections.abc import Iterator, Mapping

from psycopg2 import extensions, sql

from collec_migrations.postgres.row_digests import Columns, columns, common, exact_texts, row

__all__ = ["columns", "common", "difference", "digest", "dump_rows", "exact_texts"]


def dump_rows(
    connection: extensions.connection, schema: str, only: Columns | None = None
) -> dict[str, list[str]]:
    """Return every row of every table as a text, sorted; `only` restricts tables and columns.

    Texts are those of PostgreSQL's rows, which tell null from empty; json is as stored.
    """
    with exact_texts(connection), connection.cursor() as cursor:
        found = {}
        for table, names in (columns(connection, schema) if only is None else only).items():
            text, source = row(names), sql.Identifier(schema, table)
            cursor.execute(sql.SQL("select {} from {}").format(text, source))
            found[table] = sorted(text for (text,) in cursor)
        return found


def digest(
    connection: extensions.connection, schema: str, only: Columns | None = None
) -> dict[str, tuple[int, int]]:
    """Return the number of rows of every table and a sum over them that no order changes."""
    with exact_texts(connection), connection.cursor() as cursor:
        found = {}
        for table, names in (columns(connection, schema) if only is None else only).items():
            cursor.execute(
                sql.SQL(
                    "select count(*), coalesce(sum(('x' || substr(md5({}), 1, 15))::bit(60)"
                    "::bigint), 0)::text from {}"
                ).format(row(names), sql.Identifier(schema, table))
            )
            count, total = cursor.fetchone() or (0, "0")
            found[table] = (int(count), int(total))
        return found


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
