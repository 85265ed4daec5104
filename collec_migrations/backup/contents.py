"""Read what a database holds, at the very moment that the dump will show."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from socket import gethostname

import psycopg2
from psycopg2 import extensions

from collec_migrations.backup.manifest import Schema
from collec_migrations.bridge import detection
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.queries import statement

SNAPSHOTS_SINCE = 90500  # pg_dump --snapshot
CONTROL_SINCE = 90600  # pg_control_system()
AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a database is apart from its contents."""

    name: str
    owner: str
    comment: str
    settings: tuple[tuple[str, str], ...]
    """Role, or empty for all, and `name=value`."""
    grants: tuple[tuple[str, str, bool], ...] | None
    """Grantee (empty: all), privilege, grantable; None: as in every new database."""

    @property
    def roles(self) -> frozenset[str]:
        """Return the roles that its owner, settings and rights name."""
        named = {self.owner, *(role for role, _ in self.settings)}
        return frozenset(named | {who for who, _, _ in self.grants or ()}) - {""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that holds users' rows."""

    name: str
    """Quoted, with its schema."""
    heap: int
    """Bytes of the rows themselves."""
    apart: int
    """Bytes of the long values that PostgreSQL keeps apart; indexes are in neither."""
    has_bytes: bool
    """Whether a column holds bytes, as documents are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A database while its snapshot is open."""

    connection: extensions.connection
    snapshot: str
    """Empty: this server cannot share one."""
    around: Surroundings
    encoding: str
    size: int
    server_version: str
    sees_passwords: bool
    extensions: tuple[str, ...]
    large_objects: int
    large_bytes: int
    """Of all large objects."""
    tables: tuple[Table, ...]
    system_identifier: str
    """Empty before 9.6, and where it may not be read."""
    server: str
    position: int
    collate: str
    ctype: str

    @property
    def server_major(self) -> int:
        """Return the major version of the server."""
        return int(self.server_version.partition(".")[0])


@contextmanager
def opened(address: Address, *, lock_wait: float) -> Iterator[Source]:
    """Give a database in one snapshot; nothing is ever written."""
    with closing(database.connect(address)) as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute(
                "select set_config(name, case name when 'lock_timeout' then %s else '0' end, false)"
                " from pg_settings where name in ('lock_timeout', 'statement_timeout',"
                " 'transaction_timeout', 'idle_in_transaction_session_timeout')",
                (str(round(lock_wait * 1000)),),
            )
            yield _read(connection, cursor)


def rows(source: Source) -> dict[str, int]:
    """Return how many rows each table has."""
    return count_rows(source.connection, [one.name for one in source.tables])


def count_rows(connection: extensions.connection, tables: list[str]) -> dict[str, int]:
    """Return how many rows each of these tables has, by its quoted name."""
    found: dict[str, int] = {}
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        for first in range(0, len(tables), AT_ONCE):
            some = tables[first : first + AT_ONCE]
            # Names come from quote_ident; psycopg2 takes no parameters here, so % is no danger.
            query = " union all ".join(
                f"select {number}, count(*) from only {name}" for number, name in enumerate(some)
            )
            cursor.execute(query)
            found |= {some[number]: count for number, count in cursor.fetchall()}
    return found


def schemas(connection: extensions.connection) -> tuple[Schema, ...]:
    """Return what `detect` makes of each pair of the application's schemas.

    None when it cannot be read: a backup of what is damaged is worth most.
    """
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute("savepoint detection")
        try:
            found = [
                detection.detect(connection, names) for names in detection.find(connection).pairs
            ]
        except psycopg2.Error as error:
            if error.pgcode is None:  # the connection is lost
                raise
            cursor.execute("rollback to savepoint detection")
            return ()
    return tuple(
        Schema(gacl=one.names.gacl, col=one.names.col, answer=str(one.answer), version=one.version)
        for one in found
    )


def tables(connection: extensions.connection) -> tuple[Table, ...]:
    """Return the tables that hold users' rows, by name."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("backup_tables"))
        return tuple(
            Table(name=name, heap=heap, apart=apart, has_bytes=has_bytes)
            for name, heap, apart, has_bytes in cursor.fetchall()
        )


def _read(connection: extensions.connection, cursor: extensions.cursor) -> Source:
    cursor.execute(statement("backup_database"))
    row = cursor.fetchone()
    assert row is not None
    name, encoding, size, version, owner, comment, sees, extension, objects, large, *more = row
    settings, grants, collate, ctype, position, host, port, cluster = more
    return Source(
        connection=connection,
        snapshot=_snapshot(connection, cursor),
        around=Surroundings(
            name=name,
            owner=owner,
            comment=comment or "",
            settings=tuple((role, setting) for role, setting in settings),
            grants=None
            if grants is None
            else tuple((grantee, right, more == "true") for grantee, right, more in grants),
        ),
        encoding=encoding,
        size=size,
        server_version=version.partition(" ")[0],
        sees_passwords=sees,
        extensions=tuple(extension),
        large_objects=objects,
        large_bytes=large,
        tables=tables(connection),
        system_identifier=_system_identifier(connection, cursor),
        server=f"{host or gethostname()}:{port}{f' ({cluster})' if cluster else ''}",
        position=position,
        collate=collate,
        ctype=ctype,
    )


def _system_identifier(connection: extensions.connection, cursor: extensions.cursor) -> str:
    if connection.server_version < CONTROL_SINCE:
        return ""
    cursor.execute("savepoint control")
    try:
        cursor.execute("select system_identifier::text from pg_control_system()")
    except psycopg2.errors.InsufficientPrivilege:
        cursor.execute("rollback to savepoint control")
        return ""
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def _snapshot(connection: extensions.connection, cursor: extensions.cursor) -> str:
    if connection.server_version < SNAPSHOTS_SINCE:
        return ""
    cursor.execute("select pg_export_snapshot()")
    row = cursor.fetchone()
    return str(row[0]) if row else ""
