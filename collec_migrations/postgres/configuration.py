"""The server's own configuration files: where they are, whether they are ours to write, reload."""

import os
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import psycopg2

from collec_migrations.errors import ConfigurationDenied, ConfigurationElsewhere, MigrationError
from collec_migrations.postgres.connection import Connection, first_line

PATIENCE = 15.0
"""Seconds that a server may take to read its files again."""

Reconnect = Callable[[], Connection]


def path(connection: Connection, setting: str) -> Path:
    """Return the path that the server gives for `hba_file`, `config_file` or `data_directory`.

    Raises NotAllowed for a role that is neither superuser nor in pg_read_all_settings.
    """
    with connection.cursor() as cursor:
        try:
            cursor.execute("select pg_catalog.current_setting(%s)", (setting,))
        except psycopg2.errors.InsufficientPrivilege as error:
            raise ConfigurationDenied(
                f"this role may not ask for the server's {setting}",
                hint="Connect as a superuser, such as postgres.",
            ) from error
        finally:
            if not connection.autocommit:
                connection.rollback()
        ((found,),) = cursor.fetchall()
    return Path(found)


def local(connection: Connection, file: Path) -> Path:
    """Return the real path of a file of the server that we may replace; raise NotHere if not."""
    seen(connection, file)
    real = file.resolve()
    owner = real.stat().st_uid
    if not os.access(real.parent, os.W_OK | os.X_OK) or os.geteuid() not in (0, owner):
        raise ConfigurationElsewhere(f"this account may not replace {real}", hint=_WHO)
    return real


def seen(connection: Connection, file: Path) -> bytes:
    """Return what is in a file of the server; raise NotHere when it cannot be read on this machine.

    That the path exists here proves nothing (a container, a tunnel): the server is asked for the
    content, where it may tell, and has to be on this machine otherwise.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationElsewhere(
            f"cannot read {file}: {(error.strerror or '').lower()}", hint=_WHO
        ) from error
    held = _held(connection, file)
    if held is not None and held != content:
        raise ConfigurationElsewhere(
            f"{file} on this machine is not the file of that server", hint=_WHERE
        )
    if held is None and not _beside_us(connection):
        raise ConfigurationElsewhere("the server is on another machine", hint=_WHERE)
    return content


_WHO = "Run as root or as the account of the server, such as postgres."
_WHERE = "Run this command on the machine of the server."


def told(error: Exception) -> str:
    """Return why a file could not be written, with its name."""
    if not isinstance(error, OSError):
        return str(error)
    return f"{(error.strerror or '').lower()}: {error.filename2 or error.filename}"


def _held(connection: Connection, file: Path) -> bytes | None:
    """Return what the server says is in a file; None when it may not tell."""
    with connection.cursor() as cursor:
        try:
            cursor.execute("select pg_catalog.pg_read_binary_file(%s)", (str(file),))
            ((content,),) = cursor.fetchall()
        except psycopg2.Error:
            # Not a superuser, or before 11 a file outside of the data folder.
            return None
        finally:
            if not connection.autocommit:
                connection.rollback()
    return bytes(content)


def _beside_us(connection: Connection) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "select inet_server_addr() is null or inet_server_addr() = inet_client_addr()"
        )
        ((beside,),) = cursor.fetchall()
    return bool(beside)


def reload(connection: Connection, reconnect: Reconnect) -> None:
    """Let the server read its files again, and return once new sessions live under them.

    `reconnect` opens a new session of the same role: that it cannot is an error as well.
    Raises NotAllowed, ConnectionFailed, and MigrationError when the server does not do it in time.
    """
    before = _load_time(reconnect)
    with connection.cursor() as cursor:
        try:
            cursor.execute("select pg_catalog.pg_reload_conf()")
        except psycopg2.errors.InsufficientPrivilege as error:
            raise ConfigurationDenied(
                "this role may not let the server reload its configuration",
                hint="Connect as a superuser, such as postgres.",
            ) from error
        finally:
            if not connection.autocommit:
                connection.rollback()
    deadline = time.monotonic() + PATIENCE
    # A session inherits the time from the postmaster, which reads both files before the next one.
    while _load_time(reconnect) == before:
        if time.monotonic() > deadline:
            raise MigrationError(
                "the server did not reload its configuration",
                hint="See the server's log; it may have found a fault in its files.",
            )
        time.sleep(0.02)


def reload_if_possible(connection: Connection, reconnect: Reconnect) -> None:
    """Let the server read its files again after they were put back; a failure hides no other."""
    with suppress(MigrationError, psycopg2.Error):
        reload(connection, reconnect)


def _load_time(reconnect: Reconnect) -> object:
    with closing(reconnect()) as session, session.cursor() as cursor:
        try:
            cursor.execute("select pg_catalog.pg_conf_load_time()")
        except psycopg2.Error as error:
            raise MigrationError(first_line(error)) from error
        ((when,),) = cursor.fetchall()
    return when
