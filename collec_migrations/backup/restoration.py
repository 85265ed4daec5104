"""Restore a backup into a database of the site: an empty one, all or nothing."""

import json
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import extensions, sql
from psycopg2.extensions import parse_dsn

from collec_migrations.backup import client_programs, roles, snapshot, store
from collec_migrations.backup.client_programs import Client, Programs
from collec_migrations.backup.snapshot import DatabaseProperties
from collec_migrations.backup.store import Backup
from collec_migrations.errors import (
    BackupFailed,
    ConnectionFailed,
    MigrationError,
    NotABackup,
    RestoreRefused,
    UsageError,
)
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import files, pg_versions
from collec_migrations.postgres.connection import translated
from collec_migrations.postgres.conninfo import Address

Say = Callable[[str], None]


SERVER = {"host": "host", "port": "port", "username": "user"}
"""Options of createdb, and what libpq calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """What of a backup goes where."""

    target: Address
    schemas: tuple[str, ...] = ()
    """Empty: all."""
    renamed: Mapping[str, str]
    """Old to new name."""
    create_roles: bool = False
    any_encoding: bool = False
    """Also into a database of another encoding than the backup's."""
    bin_dir: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlan:
    """What a restore would do."""

    database: str
    server: str
    tables: int
    rows: int
    renamed: Mapping[str, str]
    roles: tuple[str, ...]
    """Those that are missing, and would be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was restored."""

    database: str
    tables: int
    rows: int


def plan_restore(backup: Backup, options: RestoreOptions) -> RestorePlan:
    """Check a backup and its target; raise what `restore` would refuse. Nothing is written."""
    with _checked(backup, options) as (connection, _, missing):
        info, version = connection.info, pg_versions.of(connection.server_version)
        chosen = options.schemas or tuple(_schemas_of(backup))
        rows = [count for name, count in backup.manifest.rows.items() if _schema(name) in chosen]
        return RestorePlan(
            database=info.dbname,
            server=f"{info.host or 'this machine'}:{info.port}, PostgreSQL {version}",
            tables=len(rows),
            rows=sum(rows),
            renamed=options.renamed,
            roles=missing,
        )


def restore(backup: Backup, options: RestoreOptions, *, say: Say) -> Restored:
    """Check a backup, then restore it, all or nothing; roles that were made for it stay."""
    with _checked(backup, options) as (connection, chosen, missing):
        if missing:
            with connection.cursor(cursor_factory=extensions.cursor) as cursor:
                for statement, left_out in roles.creation(cursor, roles.read(backup), missing):
                    if statement is not None:
                        cursor.execute(statement)
                    if left_out:
                        say(left_out)
            say(f"created roles: {', '.join(missing)}")
        connection.commit()
        with client_programs.connecting(
            client_programs.on_database(options.target, connection.info.dbname)
        ) as client:
            _load(connection, backup, chosen, client, options)
        _finish(connection, read_properties(backup), options, say)
        counted = _counted(connection, backup, options)
        return Restored(
            database=connection.info.dbname, tables=len(counted), rows=sum(counted.values())
        )


@contextmanager
def _checked(
    backup: Backup, options: RestoreOptions
) -> Iterator[tuple[extensions.connection, Programs, tuple[str, ...]]]:
    """Give a connection to the target, the programs and the roles to make, or refuse."""
    with (
        translated(BackupFailed, f"{backup.id} could not be restored"),
        store.reading(backup.path),
        closing(_connect(backup, options)) as connection,
    ):
        store.refuse_damaged(backup)
        major = pg_versions.number_of(pg_versions.of(connection.server_version))
        _refuse_older(backup, major)
        chosen = client_programs.for_server(
            major, options.bin_dir, reading=backup.manifest.compression
        )
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            _refuse_encoding(cursor, backup, options)
            _refuse_tables(connection, backup, options)
            _refuse_names(cursor, backup, options)
            with client_programs.connecting(options.target) as client:
                script = client_programs.script(backup, chosen, client)
            _refuse_schemas(cursor, roles.schemas_in(script), options)
            named = roles.named_in(script) | read_properties(backup).roles
            missing = roles.missing(cursor, roles.closure(roles.read(backup), named))
        if missing and not options.create_roles:
            raise RestoreRefused(
                "the target lacks roles that own something or have rights: " + ", ".join(missing),
                hint="Create them, or add --create-roles to make them as they were.",
            )
        yield connection, chosen, missing


def _connect(backup: Backup, options: RestoreOptions) -> database.Connection:
    """Connect to the target; a database that is missing is told with the command that makes it."""
    try:
        return database.connect(options.target)
    except ConnectionFailed as error:
        name = str(parse_dsn(options.target.dsn).get("dbname", ""))
        if re.search(database.MISSING_DATABASE, str(error)):
            error.hint = f"Create it first: {_createdb(backup, options, name)}"
        raise


def _createdb(backup: Backup, options: RestoreOptions, name: str = "NAME") -> str:
    """Return the command that makes a database like the backup's, on the target's server."""
    about, at = backup.manifest, parse_dsn(options.target.dsn)
    words = ["createdb"]
    words += [f"--{one}={at[key]}" for one, key in SERVER.items() if at.get(key)]
    words += ["--template=template0", f"--encoding={about.encoding}"]
    words += [f"--lc-collate={about.collate}"] if about.collate else []
    words += [f"--lc-ctype={about.ctype}"] if about.ctype else []
    return shlex.join([*words, name])


def _refuse_older(backup: Backup, major: float) -> None:
    client = backup.manifest.client_major
    if major < client:
        raise RestoreRefused(
            f"{backup.id} was written by pg_dump {client} and the target is PostgreSQL {major}",
            hint=f"Restore it into PostgreSQL {client} or newer.",
        )


def _refuse_encoding(cursor: extensions.cursor, backup: Backup, options: RestoreOptions) -> None:
    """Refuse a target that stores other characters, or, as SQL_ASCII, takes any bytes for some."""
    cursor.execute(
        "select pg_catalog.pg_encoding_to_char(encoding) from pg_catalog.pg_database"
        " where datname = pg_catalog.current_database()"
    )
    (encoding,) = cursor.fetchone() or ("",)
    its = backup.manifest.encoding
    if encoding != its and not options.any_encoding:
        raise RestoreRefused(
            f"the target has the encoding {encoding}, and the database of {backup.id} had {its}",
            hint=f"Create one like it: {_createdb(backup, options)}",
        )


def _refuse_tables(
    connection: extensions.connection, backup: Backup, options: RestoreOptions
) -> None:
    there = [one.name for one in snapshot.tables(connection)]
    if there:
        raise RestoreRefused(
            f"database {connection.info.dbname!r} holds {len(there)} tables, as {there[0]}",
            hint=f"Restore into a new database: {_createdb(backup, options)}",
        )


def _refuse_names(cursor: extensions.cursor, backup: Backup, options: RestoreOptions) -> None:
    """Refuse schemas that the backup has not, and new names that are taken."""
    held = _schemas_of(backup)
    for name in (*options.schemas, *options.renamed):
        if name not in held:
            raise UsageError(
                f"the backup has no schema {name!r} with tables",
                hint=f"It has {', '.join(sorted(held))}.",
            )
    cursor.execute("select nspname from pg_namespace where nspname = any(%s)",
                   (list(options.renamed.values()),))  # fmt: skip
    taken = [str(name) for (name,) in cursor.fetchall()]
    taken += [name for name in options.renamed.values() if name in held]
    if taken:
        raise RestoreRefused(f"the schema {taken[0]!r} is there already", hint="Take another name.")


def _refuse_schemas(
    cursor: extensions.cursor, made: Collection[str], options: RestoreOptions
) -> None:
    """Refuse schemas of the target that the backup is to make."""
    wanted = [name for name in made if not options.schemas or name in options.schemas]
    cursor.execute("select nspname from pg_namespace where nspname = any(%s) order by 1", (wanted,))
    taken = [str(name) for (name,) in cursor.fetchall()]
    if taken:
        names = ", ".join(sql.Identifier(name).as_string(cursor) for name in taken)
        raise RestoreRefused(
            f"the target already has the schema {names}, which the backup creates",
            hint=f"Restore into a new database, or, if nothing in it is needed: "
            f"drop schema {names}",
        )


def _schemas_of(backup: Backup) -> set[str]:
    return set(map(_schema, backup.manifest.rows))


def _schema(table: str) -> str:
    """Return the schema of a quoted name (parse_ident() came with 9.6)."""
    found = re.match(r'"((?:[^"]|"")*)"|([^."]+)', table)
    return (found[2] or found[1].replace('""', '"')) if found else ""


def _load(
    connection: extensions.connection,
    backup: Backup,
    chosen: Programs,
    client: Client,
    options: RestoreOptions,
) -> None:
    if not options.schemas:
        client_programs.load_whole(backup, chosen, client)
        return
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        for name in backup.manifest.extensions:
            statement = sql.SQL("create extension if not exists {}")
            cursor.execute(statement.format(sql.Identifier(name)))
    connection.commit()
    try:
        client_programs.load_schemas(backup, chosen, client, options.schemas)
        client_programs.load_whole(backup, chosen, client, options.schemas)
    except MigrationError:
        _drop(connection, options.schemas)
        raise


def _drop(connection: extensions.connection, schemas: Sequence[str]) -> None:
    """Take back the empty schemas that were made for a restore that failed."""
    with connection.cursor() as cursor:
        for name in schemas:
            if name != "public":
                cursor.execute(sql.SQL("drop schema if exists {}").format(sql.Identifier(name)))
    connection.commit()


def _finish(
    connection: extensions.connection,
    properties: DatabaseProperties,
    options: RestoreOptions,
    say: Say,
) -> None:
    """Rename schemas, and give the database its settings; tell what had to be left."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        for old, new in options.renamed.items():
            statement = sql.SQL("alter schema {} rename to {}")
            cursor.execute(statement.format(sql.Identifier(old), sql.Identifier(new)))
            for name in _still_naming(cursor, old):
                say(f"function {name} still names the schema {old!r} in its text")
        for command in property_statements(properties, connection.info.dbname, options.renamed):
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


def _counted(
    connection: extensions.connection, backup: Backup, options: RestoreOptions
) -> dict[str, int]:
    """Return the rows of each table; raise when they are not those of the backup."""
    counted = snapshot.count_rows(connection, [one.name for one in snapshot.tables(connection)])
    wanted = sum(backup.manifest.rows.values())
    if not options.schemas and sum(counted.values()) != wanted:
        raise RestoreRefused(
            f"{sum(counted.values())} rows were restored, and the backup had {wanted}",
            hint="Do not use this database; verify the backup.",
        )
    return counted


QUOTED_LISTS = (
    "search_path",
    "temp_tablespaces",
    "session_preload_libraries",
    "shared_preload_libraries",
    "local_preload_libraries",
    "unix_socket_directories",
)
"""Settings whose value is stored as SQL has it (GUC_LIST_QUOTE in PostgreSQL's source)."""
PRIVILEGES = ("CREATE", "CONNECT", "TEMPORARY")
"""The rights on a database."""


def read_properties(backup: Backup) -> DatabaseProperties:
    """Return what a backup knows of its database's properties."""
    found: dict[str, Any] = json.loads(files.read(backup.path / store.DATABASE))
    grants = found["grants"]
    return DatabaseProperties(
        name=found["name"],
        owner=found["owner"],
        comment=found["comment"],
        settings=tuple((role, setting) for role, setting in found["settings"]),
        grants=None if grants is None else tuple((who, what, more) for who, what, more in grants),
    )


def property_statements(
    properties: DatabaseProperties, database: str, renamed: Mapping[str, str]
) -> Iterator[sql.Composable]:
    """Yield the statements that give a database its settings, rights and comment."""
    name = sql.Identifier(database)
    for role, setting in properties.settings:
        variable, _, text = setting.partition("=")
        yield sql.SQL("alter {} set {} to {}").format(
            sql.SQL("role {} in database {}").format(sql.Identifier(role), name)
            if role
            else sql.SQL("database {}").format(name),
            sql.SQL(".").join(map(sql.Identifier, variable.split("."))),
            _value(variable, text, renamed),
        )
    if properties.comment:
        yield sql.SQL("comment on database {} is {}").format(name, sql.Literal(properties.comment))
    if properties.grants is not None:
        yield sql.SQL("revoke all on database {} from public").format(name)
    for grantee, privilege, grantable in properties.grants or ():
        if privilege not in PRIVILEGES:
            raise NotABackup(f"the backup grants {privilege!r}, which is no right on a database")
        yield sql.SQL("grant {} on database {} to {}{}").format(
            sql.SQL(privilege),
            name,
            sql.Identifier(grantee) if grantee else sql.SQL("public"),
            sql.SQL(" with grant option" if grantable else ""),
        )


def _value(variable: str, text: str, renamed: Mapping[str, str]) -> sql.Composable:
    if variable not in QUOTED_LISTS:
        return sql.Literal(text)
    found = re.findall(r'"((?:[^"]|"")*)"|([^",\s]+)', text)
    names = [plain or quoted.replace('""', '"') for quoted, plain in found] or [""]
    if variable == "search_path":
        names = [renamed.get(name, name) for name in names]
    return sql.SQL(", ").join(map(sql.Literal, names))
