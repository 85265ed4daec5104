"""Drop archives, on the user's own decision: all that were named, or none."""

from collections.abc import Sequence

import psycopg2
from psycopg2 import errorcodes, sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.archives.archive import Archive
from collec_migrations.errors import ArchiveNotDropped

_IS_EMPTY_AND_OURS = """
select exists (select 1 from pg_catalog.pg_namespace n
               where n.nspname = %(schema)s and pg_catalog.pg_has_role(n.nspowner, 'usage')
                 and not exists (select 1 from pg_catalog.pg_depend d
                                 where d.refclassid = 'pg_catalog.pg_namespace'::regclass
                                   and d.refobjid = n.oid and d.deptype = 'n'))
"""


def drop(cursor: Cursor, archives: Sequence[Archive]) -> tuple[str, ...]:
    """Drop archives, and each archive schema in which nothing is left; return those schemas.

    The caller commits. Raises `NotDropped` when an archive is not this role's, or when
    something else depends on one.
    """
    for one in archives:
        try:
            cursor.execute(sql.SQL("drop table {}").format(sql.Identifier(one.schema, one.table)))
        except psycopg2.Error as error:
            raise _refusal(one, error) from error
    emptied = []
    for schema in sorted({one.schema for one in archives}):
        cursor.execute(_IS_EMPTY_AND_OURS, {"schema": schema})
        row = cursor.fetchone()
        if row and row[0]:
            cursor.execute(sql.SQL("drop schema {}").format(sql.Identifier(schema)))
            emptied.append(schema)
    return tuple(emptied)


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
