"""Read which archives there are, and their rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.archives.archive import Archive, Origin
from collec_migrations.errors import NoSuchArchive, UsageError
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The first rows of an archive, as texts."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    documents: tuple[str, ...]
    """The same rows, each as a JSON object."""


def schemas(pairs: Iterable[Names]) -> tuple[str, ...]:
    """Return the archive schemas of some pairs, each one once."""
    named = [name for names in pairs for name in (names.gacl_archive, names.col_archive)]
    return tuple(dict.fromkeys(named))


def find(cursor: Cursor, pairs: Iterable[Names]) -> tuple[Archive, ...]:
    """Return the archives of some pairs; a table whose comment names no step is none."""
    cursor.execute(statement("archives"), {"schemas": list(schemas(pairs))})
    found = []
    for schema, table, size, comment in cursor.fetchall():
        origin = Origin.parse(comment)
        if origin:
            cursor.execute(sql.SQL("select count(*) from {}").format(_table(schema, table)))
            rows = cursor.fetchone()
            found.append(
                Archive(
                    schema=schema,
                    table=table,
                    rows=rows[0] if rows else 0,
                    size=size,
                    origin=origin,
                )
            )
    return tuple(found)


def named(archives: Sequence[Archive], name: str) -> Archive:
    """Return the archive of a name, with or without its schema; there must be just one."""
    found = [one for one in archives if name in (one.table, one.shown)]
    if not found:
        raise NoSuchArchive(
            f"{name!r} is not an archive table",
            hint="`collec-migrations archive list` shows them; name other schemas with --col.",
        )
    if len(found) > 1:
        raise UsageError(
            f"{name!r} is the name of {len(found)} archives",
            hint=f"Name one of them: {', '.join(one.shown for one in found)}.",
        )
    return found[0]


def first_rows(cursor: Cursor, archive: Archive, limit: int) -> Rows:
    """Return the first rows of an archive, in the order of its first column."""
    table = _table(archive.schema, archive.table)
    cursor.execute(sql.SQL("select * from {} limit 0").format(table))
    columns = tuple(column.name for column in cursor.description or ())
    texts = sql.SQL(", ").join(
        sql.SQL("kept.{}::text").format(sql.Identifier(column)) for column in columns
    )
    query = sql.SQL("select row_to_json(kept)::text, {} from {} as kept order by {} limit {}")
    first = sql.SQL("kept.{}").format(sql.Identifier(columns[0]))
    cursor.execute(query.format(texts, table, first, sql.Literal(limit)))
    found = cursor.fetchall()
    return Rows(
        columns=columns,
        rows=tuple(tuple(row[1:]) for row in found),
        documents=tuple(row[0] for row in found),
    )


def _table(schema: str, table: str) -> sql.Identifier:
    return sql.Identifier(schema, table)
