"""Read which archives there are, and their rows."""

from collections.abc import Iterable, Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.archives.archive import Archive, Origin
from collec_migrations.errors import NoSuchArchive, UsageError
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement


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


def _table(schema: str, table: str) -> sql.Identifier:
    return sql.Identifier(schema, table)
