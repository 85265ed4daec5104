"""Restore a backup into a database of the site: an empty one, all or nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import extensions, sql

from collec_migrations.backup import (
    contents,
    database_settings,
    dump_programs,
    integrity,
    libpq_environment,
    lock,
    pg_restore,
    roles,
)
from collec_migrations.backup.contents import Surroundings
from collec_migrations.backup.dump_programs import Tools
from collec_migrations.backup.libpq_environment import Door
from collec_migrations.backup.store import Backup
from collec_migrations.errors import BackupFailed, MigrationError, RestoreRefused, UsageError
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.connection import translated
from collec_migrations.postgres.conninfo import Address

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What of a backup goes where."""

    target: Address
    schemas: tuple[str, ...] = ()
    """Empty: all."""
    renamed: Mapping[str, str]
    """Old to new name."""
    create_roles: bool = False
    bin_dir: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was restored."""

    database: str
    tables: int
    rows: int


def restore(backup: Backup, order: Order, *, say: Say) -> Restored:
    """Check a backup, then restore it, all or nothing; roles that were made for it stay."""
    with (
        translated(BackupFailed, f"{backup.id} could not be restored"),
        lock.reading(backup.path),
        closing(database.connect(order.target)) as connection,
    ):
        integrity.refuse_damaged(backup)
        major = connection.server_version // 10000
        _refuse_older(backup, major)
        chosen = dump_programs.for_server(major, order.bin_dir, reading=backup.manifest.compression)
        around = database_settings.read(backup)
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            _refuse_encoding(cursor, backup)
            _refuse_tables(connection)
            _refuse_names(cursor, backup, order)
            with libpq_environment.door(order.target) as door:
                named = roles.named_in(pg_restore.script(backup, chosen, door)) | around.roles
            _make_roles(cursor, backup, named, order, say)
        connection.commit()
        with libpq_environment.door(
            libpq_environment.to(order.target, connection.info.dbname)
        ) as door:
            _load(connection, backup, chosen, door, order)
        _finish(connection, around, order, say)
        counted = _counted(connection, backup, order)
        return Restored(
            database=connection.info.dbname, tables=len(counted), rows=sum(counted.values())
        )


def _refuse_older(backup: Backup, major: int) -> None:
    client = backup.manifest.client_major
    if major < client:
        raise RestoreRefused(
            f"{backup.id} was written by pg_dump {client} and the target is PostgreSQL {major}",
            hint=f"Restore it into PostgreSQL {client} or newer.",
        )


def _refuse_encoding(cursor: extensions.cursor, backup: Backup) -> None:
    """Refuse a target that stores other characters, or, as SQL_ASCII, takes any bytes for some."""
    cursor.execute(
        "select pg_catalog.pg_encoding_to_char(encoding) from pg_catalog.pg_database"
        " where datname = pg_catalog.current_database()"
    )
    (encoding,) = cursor.fetchone() or ("",)
    its = backup.manifest.encoding
    if encoding != its:
        raise RestoreRefused(
            f"the target has the encoding {encoding}, and the database of {backup.id} had {its}",
            hint=f"Make one of that encoding: createdb --template template0 --encoding {its} NAME",
        )


def _refuse_tables(connection: extensions.connection) -> None:
    there = [one.name for one in contents.tables(connection)]
    if there:
        raise RestoreRefused(
            f"database {connection.info.dbname!r} holds {len(there)} tables, as {there[0]}",
            hint="Restore into a new database: createdb NAME.",
        )


def _refuse_names(cursor: extensions.cursor, backup: Backup, order: Order) -> None:
    """Refuse schemas that the backup has not, and new names that are taken."""
    held = _schemas_of(cursor, backup)
    for name in (*order.schemas, *order.renamed):
        if name not in held:
            raise UsageError(
                f"the backup has no schema {name!r} with tables",
                hint=f"It has {', '.join(sorted(held))}.",
            )
    cursor.execute("select nspname from pg_namespace where nspname = any(%s)",
                   (list(order.renamed.values()),))  # fmt: skip
    taken = [str(name) for (name,) in cursor.fetchall()]
    taken += [name for name in order.renamed.values() if name in held]
    if taken:
        raise RestoreRefused(f"the schema {taken[0]!r} is there already", hint="Take another name.")


def _schemas_of(cursor: extensions.cursor, backup: Backup) -> set[str]:
    """Return the names of the schemas with tables; PostgreSQL itself reads the quoted names."""
    cursor.execute(
        "select distinct (parse_ident(name))[1] from unnest(%s) name",
        (list(backup.manifest.rows),),
    )
    return {str(name) for (name,) in cursor.fetchall()}


def _make_roles(
    cursor: extensions.cursor, backup: Backup, named: Collection[str], order: Order, say: Say
) -> None:
    known = roles.read(backup)
    missing = roles.missing(cursor, roles.closure(known, named))
    if not missing:
        return
    names = ", ".join(missing)
    if not order.create_roles:
        raise RestoreRefused(
            f"the target lacks roles that own something or have rights: {names}",
            hint="Create them, or add --create-roles to make them as they were.",
        )
    for statement, left_out in roles.creation(cursor, known, missing):
        if statement is not None:
            cursor.execute(statement)
        if left_out:
            say(left_out)
    say(f"created roles: {names}")


def _load(
    connection: extensions.connection, backup: Backup, chosen: Tools, door: Door, order: Order
) -> None:
    if not order.schemas:
        pg_restore.load_whole(backup, chosen, door)
        return
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        for name in backup.manifest.extensions:
            statement = sql.SQL("create extension if not exists {}")
            cursor.execute(statement.format(sql.Identifier(name)))
    connection.commit()
    try:
        pg_restore.load_schemas(backup, chosen, door, order.schemas)
        pg_restore.load_whole(backup, chosen, door, order.schemas)
    except MigrationError:
        _drop(connection, order.schemas)
        raise


def _drop(connection: extensions.connection, schemas: Sequence[str]) -> None:
    """Take back the empty schemas that were made for a restore that failed."""
    with connection.cursor() as cursor:
        for name in schemas:
            if name != "public":
                cursor.execute(sql.SQL("drop schema if exists {}").format(sql.Identifier(name)))
    connection.commit()


def _finish(
    connection: extensions.connection, around: Surroundings, order: Order, say: Say
) -> None:
    """Rename schemas, and give the database its settings; tell what had to be left."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        for old, new in order.renamed.items():
            statement = sql.SQL("alter schema {} rename to {}")
            cursor.execute(statement.format(sql.Identifier(old), sql.Identifier(new)))
            for name in _still_naming(cursor, old):
                say(f"function {name} still names the schema {old!r} in its text")
        for command in database_settings.statements(around, connection.info.dbname, order.renamed):
            cursor.execute("savepoint setting")
            try:
                cursor.execute(command)
            except psycopg2.Error as error:
                cursor.execute("rollback to savepoint setting")
                say(f"left out: {command.as_string(cursor)}: {database.first_line(error)}")
        cursor.execute("analyze")
    connection.commit()


def _still_naming(cursor: extensions.cursor, old: str) -> list[str]:
    cursor.execute(
        "select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
        " and p.prosrc ~ ('\\m' || regexp_replace(%s, '(\\W)', '\\\\\\1', 'g') || '\"?\\.')"
        " order by 1",
        (old,),
    )
    return [str(name) for (name,) in cursor.fetchall()]


def _counted(connection: extensions.connection, backup: Backup, order: Order) -> dict[str, int]:
    """Return the rows of each table; raise when they are not those of the backup."""
    counted = contents.count_rows(connection, [one.name for one in contents.tables(connection)])
    wanted = sum(backup.manifest.rows.values())
    if not order.schemas and sum(counted.values()) != wanted:
        raise RestoreRefused(
            f"{sum(counted.values())} rows were restored, and the backup had {wanted}",
            hint="Do not use this database; verify the backup.",
        )
    return counted
