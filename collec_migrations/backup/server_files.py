"""What belongs to a server and not to a database: roles, and its configuration files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import extensions

from collec_migrations.backup.dump_programs import Tools
from collec_migrations.backup.libpq_environment import Door
from collec_migrations.errors import BackupFailed
from collec_migrations.postgres import programs

NAMED = ("config_file", "hba_file", "ident_file")
INCLUDED = (
    "select distinct sourcefile from pg_file_settings where sourcefile is not null",
    "select distinct file_name from pg_hba_file_rules where file_name is not null",  # 16
    "select distinct file_name from pg_ident_file_mappings where file_name is not null",  # 16
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The configuration files of a server, as the server itself reads them."""

    files: tuple[tuple[str, bytes], ...]
    """Absolute path on the server, and content."""
    left_out: tuple[str, ...]


def globals_of(tools: Tools, door: Door, dbname: str, *, passwords: bool, lock: int) -> bytes:
    """Return what `pg_dumpall --globals-only` writes: roles, tablespaces."""
    command = [tools.program("pg_dumpall"), "-w", "--globals-only", f"--dbname={door.dsn}"]
    # pg_dumpall takes such a name for an address; its default, postgres, has to do then.
    if "=" not in dbname and "://" not in dbname:
        command.append(f"--database={dbname}")
    if not passwords:
        command.append("--no-role-passwords")
    with door.start(tuple(command), lock) as process:
        out, messages = process.communicate()
    if process.returncode != 0:
        raise BackupFailed(
            f"pg_dumpall failed with status {process.returncode}",
            hint=programs.last_words(door.without_secret(messages.decode(errors="replace"))),
        )
    return out


def configuration(connection: extensions.connection) -> Configuration:
    """Return the files that the server names, read by the server when we may ask it to."""
    files, left_out = [], []
    for path in dict.fromkeys(_paths(connection)):
        content = _content(connection, path)
        if content is None:
            left_out.append(path)
        else:
            files.append((path, content))
    return Configuration(files=tuple(files), left_out=tuple(left_out))


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
        return Path(path).read_bytes()
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
