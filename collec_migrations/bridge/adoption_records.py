"""Write the version of an adopted database: Alembic's table and the history of both schemas."""

from psycopg2 import extensions, sql

from collec_migrations import versions
from collec_migrations.bridge import history, state
from collec_migrations.names import Names


def record(
    connection: extensions.connection, names: Names, version: str, *, note: str, owner: str
) -> None:
    """Write Alembic's version and the history of both schemas."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        _write_version(cursor, names.col, version)
        entry = history.Entry(version=version, kind="adopted", note=note)
        history.record(cursor, names.col, entry)
        _record_rights(cursor, names.gacl, version)
        _give(cursor, names, owner)


def _write_version(cursor: extensions.cursor, schema: str, version: str) -> None:
    """Write Alembic's version, in its table as Alembic itself creates it.

    Raises `UntrustedTable` for what is there by that name and is no plain table.
    """
    table = sql.Identifier(schema, state.VERSION_TABLE)
    if not state.has_version_table(cursor, schema):
        cursor.execute(
            sql.SQL(
                "create table {} (version_num varchar(32) not null,"
                " constraint alembic_version_pkc primary key (version_num))"
            ).format(table)
        )
    cursor.execute(sql.SQL("delete from {}").format(table))
    cursor.execute(sql.SQL("insert into {} values ({})").format(table, sql.Literal(version)))


def _record_rights(cursor: extensions.cursor, schema: str, version: str) -> None:
    """Write the version into the history of the rights schema, unless a data schema beside this
    one already brought it to a later one."""
    past = history.read(cursor, schema)
    known = past[-1].version if past else None
    if known is not None and versions.order(known) >= versions.order(version):
        return
    history.record(cursor, schema, history.Entry(version=version, kind="adopted"))


def _give(cursor: extensions.cursor, names: Names, owner: str) -> None:
    """Give what was created to the owner of the application's tables, who upgrades later on."""
    cursor.execute("select current_user")
    if not owner or cursor.fetchone() == (owner,):
        return
    for schema, table in (
        (names.col, state.VERSION_TABLE),
        (names.col, history.TABLE),
        (names.gacl, history.TABLE),
    ):
        cursor.execute(
            sql.SQL("alter table if exists {} owner to {}").format(
                sql.Identifier(schema, table), sql.Identifier(owner)
            )
        )
