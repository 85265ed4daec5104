"""Read what a database and its server hold, at the very moment that the dump will show."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import gethostname

import psycopg2
from psycopg2 import extensions

from collec_migrations import bridge
from collec_migrations.backup.client_programs import Client, Programs
from collec_migrations.backup.manifest import Schema
from collec_migrations.errors import BackupFailed
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import files, pg_versions, programs, sizes
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.queries import statement

AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseProperties:
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
class Snapshot:
    """A database while its snapshot is open."""

    connection: extensions.connection
    snapshot: str
    """Empty: this server cannot share one."""
    properties: DatabaseProperties
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
    def is_mostly_documents(self) -> bool:
        """Say whether most of it is bytes, as PDFs and images are, which hardly compress."""
        documents = sum(one.heap + one.apart for one in self.tables if one.has_bytes)
        rows = sum(one.heap + one.apart for one in self.tables if not one.has_bytes)
        return documents + self.large_bytes > rows

    @property
    def server_major(self) -> float:
        """Return the major version of the server."""
        return pg_versions.number_of(self.server_version)


@contextmanager
def open_snapshot(address: Address, *, lock_wait: float) -> Iterator[Snapshot]:
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
            found = [bridge.detect(connection, names) for names in bridge.find(connection).pairs]
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


def _read(connection: extensions.connection, cursor: extensions.cursor) -> Snapshot:
    cursor.execute(statement("backup_database"))
    row = cursor.fetchone()
    assert row is not None
    name, encoding, size, version, owner, comment, sees, extension, objects, large, *more = row
    settings, grants, collate, ctype, position, host, port, cluster = more
    return Snapshot(
        connection=connection,
        snapshot=_snapshot(connection, cursor),
        properties=DatabaseProperties(
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
        system_identifier=system_identifier(connection),
        server=f"{host or gethostname()}:{port}{f' ({cluster})' if cluster else ''}",
        position=position,
        collate=collate,
        ctype=ctype,
    )


def system_identifier(connection: extensions.connection) -> str:
    """Return what a server and its standbys share, and no other has; empty: it does not tell."""
    if not pg_versions.server_has(connection.server_version, "fn_control"):
        return ""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute("savepoint control")
        try:
            cursor.execute("select system_identifier::text from pg_control_system()")
        except psycopg2.errors.InsufficientPrivilege:
            cursor.execute("rollback to savepoint control")
            return ""
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def _snapshot(connection: extensions.connection, cursor: extensions.cursor) -> str:
    if not pg_versions.server_has(connection.server_version, "dump_snapshot"):
        return ""
    cursor.execute("select pg_export_snapshot()")
    row = cursor.fetchone()
    return str(row[0]) if row else ""


NAMED = ("config_file", "hba_file", "ident_file")
INCLUDED = (
    "select distinct sourcefile from pg_file_settings where sourcefile is not null",
    "select distinct file_name from pg_hba_file_rules where file_name is not null",  # 16
    "select distinct file_name from pg_ident_file_mappings where file_name is not null",  # 16
)


def globals_of(
    tools: Programs, client: Client, dbname: str, *, passwords: bool, lock: int
) -> bytes:
    """Return what `pg_dumpall --globals-only` writes: roles, tablespaces."""
    command = [tools.program("pg_dumpall"), "-w", "--globals-only", f"--dbname={client.dsn}"]
    # pg_dumpall takes such a name for an address; its default, postgres, has to do then.
    if "=" not in dbname and "://" not in dbname:
        command.append(f"--database={dbname}")
    if not passwords:
        command.append("--no-role-passwords")
    with client.start(tuple(command), lock) as process:
        out, messages = process.communicate()
    if process.returncode != 0:
        raise BackupFailed(
            f"pg_dumpall failed with status {process.returncode}",
            hint=programs.last_words(client.without_secret(messages.decode(errors="replace"))),
        )
    return out


def configuration(
    connection: extensions.connection,
) -> tuple[list[tuple[str, bytes]], tuple[str, ...]]:
    """Return the configuration files of a server, as the server itself reads them where it may.

    Absolute path on the server, and content; and the paths of those that cannot be read.
    """
    read = {path: _content(connection, path) for path in _paths(connection)}
    whole = [(path, content) for path, content in read.items() if content is not None]
    return whole, tuple(path for path, content in read.items() if content is None)


def _paths(connection: extensions.connection) -> Iterator[str]:
    for name in NAMED:
        path = _one(connection, f"show {name}")
        if path:  # empty: only those who may read all settings are told
            yield str(path)
    for query in INCLUDED:
        for (path,) in _asked(connection, query):
            yield str(path)


def _content(connection: extensions.connection, path: str) -> bytes | None:
    content = _one(connection, "select pg_read_binary_file(%s)", path)
    if content is not None:
        return bytes(content)  # type: ignore[call-overload,no-any-return]  # psycopg2 gives memory
    if not _is_here(connection):
        return None
    try:
        return files.read(Path(path))
    except OSError:
        return None


def _is_here(connection: extensions.connection) -> bool:
    host = connection.info.host or ""
    return not host or host.startswith("/") or host in ("localhost", "127.0.0.1", "::1")


def _one(connection: extensions.connection, query: str, *parameters: str) -> object:
    found = _asked(connection, query, *parameters)
    return found[0][0] if found else None


def _asked(
    connection: extensions.connection, query: str, *parameters: str
) -> list[tuple[object, ...]]:
    """Return the rows of a query; none when this role or this server's major cannot run it."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute("savepoint asked")
        try:
            cursor.execute(query, parameters or None)
            return list(cursor.fetchall())
        except psycopg2.ProgrammingError:
            return []
        except psycopg2.Error as error:
            if error.pgcode is None:  # the connection is lost
                raise
            return []
        finally:
            if connection.closed == 0:
                cursor.execute("rollback to savepoint asked")


MARGIN = 16 << 20
GROWTH = 1.3
ROWS = 0.4
"""Of ordinary rows: what a dump takes of them as a rule (33 MB of 108)."""
APART = 0.8
"""Of long texts, which PostgreSQL has compressed once already."""
BYTES = 1.2
"""Of bytes: a dump writes them in hexadecimal, and an image or a PDF gives nothing back (1.06 to
1.14 by gzip, benchmarks/RESULTS.md)."""


def first_size(tables: Iterable[Table], large_objects: int) -> int:
    """Return the bytes that a first dump may take at most; only a dump itself tells it exactly."""
    rates = [
        (one.heap + one.apart) * BYTES if one.has_bytes else one.heap * ROWS + one.apart * APART
        for one in tables
    ]
    return round(sum(rates) + large_objects * BYTES)


def space_needed(*, previous: int | None, first: int) -> int:
    """Return the bytes that have to be free before a dump starts."""
    return round(previous * GROWTH if previous else first) + MARGIN


def check_space(folder: Path, bytes_needed: int, *, what: str) -> None:
    """Raise `BackupFailed` when a folder has not enough room."""
    free = shutil.disk_usage(folder).free
    if free < bytes_needed:
        raise BackupFailed(
            f"{folder} has {sizes.shown(free)} free, and {what} needs {sizes.shown(bytes_needed)}",
            hint="Make room: `collec-migrations backup prune`, or another folder.",
        )
