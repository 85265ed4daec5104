"""Which archives there are, and their end: what the table `collec_archive` of a schema says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg2
from psycopg2 import errorcodes, sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import versions
from collec_migrations.errors import ArchiveNotDropped, NoSuchArchive, UsageError
from collec_migrations.names import Names

TABLE = "collec_archive"

_SIZES = """
select c.relname::text, pg_catalog.pg_total_relation_size(c.oid)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = %s and c.relkind in ('r', 'p', 'S')
"""
_REGISTERED = """
select relation, kind, source_schema || '.' || source, columns, version_from, version_to, made, rows
from {} order by collec_archive_id
"""
_IS_EMPTY_AND_OURS = """
select exists (select 1 from pg_catalog.pg_namespace n
               where n.nspname = %(schema)s and pg_catalog.pg_has_role(n.nspowner, 'usage')
                 and not exists (select 1 from pg_catalog.pg_depend d
                                 where d.refclassid = 'pg_catalog.pg_namespace'::regclass
                                   and d.refobjid = n.oid and d.deptype = 'n'))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A relation of an archive schema."""

    schema: str
    table: str
    kind: str
    """table, sequence, columns, values, rows or statements."""
    step: str
    """`upgrade 1.0.8 -> 1.1`."""
    when: datetime
    source: str
    """The table, with its schema, as both were named then, and the columns."""
    rows: int
    size: int
    """Bytes on disk, with all that belongs to the table."""

    @property
    def shown(self) -> str:
        """The name with its schema, for messages."""
        return f"{self.schema}.{self.table}"


def find(cursor: Cursor, pairs: Iterable[Names]) -> tuple[Archive, ...]:
    """Return the archives of some pairs, in the order in which they were made."""
    schemas = dict.fromkeys(
        name for names in pairs for name in (names.gacl_archive, names.col_archive)
    )
    found = []
    for schema in schemas:
        cursor.execute(_SIZES, (schema,))
        sizes = dict(cursor.fetchall())
        if TABLE not in sizes:
            continue
        cursor.execute(sql.SQL(_REGISTERED).format(sql.Identifier(schema, TABLE)))
        for name, kind, source, columns, old, new, made, rows in cursor.fetchall():
            if name in sizes:
                shown = f"{source} ({', '.join(columns)})" if kind == "columns" else source
                shown = f"{source}.{columns[0]}" if kind == "values" else shown
                found.append(
                    Archive(
                        schema=schema, table=name, kind=kind, step=_step(old, new), when=made,
                        source=shown, rows=rows, size=sizes[name],
                    )
                )  # fmt: skip
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


def drop(cursor: Cursor, archives: Sequence[Archive]) -> tuple[str, ...]:
    """Drop archives, and each archive schema in which nothing is left; return those schemas.

    The caller commits. Raises `ArchiveNotDropped` when an archive is not this role's, or when
    something else depends on one.
    """
    for one in archives:
        what = sql.SQL("sequence" if one.kind == "sequence" else "table")
        name = sql.Identifier(one.schema, one.table)
        try:
            cursor.execute(sql.SQL("drop {} {}").format(what, name))
            registry = sql.Identifier(one.schema, TABLE)
            forget = sql.SQL("delete from {} where relation = %s").format(registry)
            cursor.execute(forget, (one.table,))
        except psycopg2.Error as error:
            raise _refusal(one, error) from error
    emptied = []
    for schema in sorted({one.schema for one in archives}):
        _close_registry(cursor, schema)
        cursor.execute(_IS_EMPTY_AND_OURS, {"schema": schema})
        row = cursor.fetchone()
        if row and row[0]:
            cursor.execute(sql.SQL("drop schema {}").format(sql.Identifier(schema)))
            emptied.append(schema)
    return tuple(emptied)


def _step(old: str, new: str | None) -> str:
    if new is None:
        return f"downgrade {old} -> base"
    is_up = versions.order(new) > versions.order(old)
    return f"{'upgrade' if is_up else 'downgrade'} {old} -> {new}"


def _close_registry(cursor: Cursor, schema: str) -> None:
    """Drop the registry when nothing stands in it any more."""
    registry = sql.Identifier(schema, TABLE)
    cursor.execute(sql.SQL("select exists (select 1 from {})").format(registry))
    if not (cursor.fetchone() or (True,))[0]:
        cursor.execute(sql.SQL("drop table {}").format(registry))


def _refusal(archive: Archive, error: psycopg2.Error) -> ArchiveNotDropped:
    message = error.diag.message_primary or str(error).strip()
    detail = f": {error.diag.message_detail}" if error.diag.message_detail else ""
    hints = {
        errorcodes.INSUFFICIENT_PRIVILEGE: "Run as the owner of the archive, or as a superuser.",
        errorcodes.DEPENDENT_OBJECTS_STILL_EXIST: "Drop first what depends on it.",
    }
    return ArchiveNotDropped(
        f"{archive.shown} cannot be dropped: {message}{detail}; nothing was dropped",
        hint=hints.get(error.pgcode or "", ""),
    )
