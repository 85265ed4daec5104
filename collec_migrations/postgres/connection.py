"""Open a connection, and say in one line why it cannot be opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812  (a class in psycopg2)
from psycopg2.extras import PhysicalReplicationConnection

from collec_migrations.errors import ConnectionFailed, MigrationError
from collec_migrations.postgres import peer, prologue, signals
from collec_migrations.postgres.conninfo import Address

__all__ = ["Connection", "Error", "connect", "connect_for_replication", "first_line", "translated"]

OURSELVES = "collec-migrations"

Error: TypeAlias = psycopg2.Error

HINTS = (
    ("password authentication failed", "Check the password; ~/.pgpass can hold it (mode 0600)."),
    ("no password supplied", "Put the password in ~/.pgpass (mode 0600) or in PGPASSFILE."),
    ("peer authentication failed", "Run as that account, or connect by host with a password."),
    ("ident authentication failed", "Run as that account, or connect by host with a password."),
    ("no pg_hba.conf entry", "The server's pg_hba.conf does not let this account in from here."),
    ("does not exist", "Create it first, or correct the address."),
    ("could not translate host name", "Correct the host's name in the address."),
    ("refused", "Is the server running, and does it listen on that host and port?"),
    ("No such file or directory", "Is the server running? Its socket is not there."),
    ("timeout expired", "The host does not answer; check the address and the firewall."),
    ("too many", "All connections of the server are in use; try again later."),
    ("starting up", "The server is starting; try again in a moment."),
    ("definition of service", "Correct PGSERVICE, or the service in ~/.pg_service.conf."),
)


def connect(address: Address) -> Connection:
    """Open a connection in UTF-8 with our settings; raise `ConnectionFailed`: a line, a hint.

    Root becomes the account that a socket's peer authentication asks for.
    """
    signals.watch_statements()
    with _told(address):
        connection = _opened(prologue.with_keepalives(address.dsn))
        connection.set_client_encoding("UTF8")
        prologue.begin(connection)
    return connection


def _opened(dsn: str) -> Connection:
    """Return a connection by the first way that the server takes; raise what the last one got."""
    *others, last = peer.attempts(dsn)
    for text, account in others:
        try:
            with peer.acting_as(account):
                return psycopg2.connect(text, fallback_application_name=OURSELVES)
        except psycopg2.OperationalError:
            continue
    return psycopg2.connect(last[0], fallback_application_name=OURSELVES)


def connect_for_replication(address: Address) -> PhysicalReplicationConnection:
    """Open a connection that takes replication commands alone; raise `ConnectionFailed`."""
    with _told(address):
        connection: PhysicalReplicationConnection = psycopg2.connect(
            prologue.with_keepalives(address.dsn),
            fallback_application_name=OURSELVES,
            connection_factory=PhysicalReplicationConnection,
        )
    return connection


def first_line(error: BaseException) -> str:
    """Return an error's first line, without the trimmings that libpq puts around it."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip()


@contextmanager
def _told(address: Address) -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        message = _without(address.password, first_line(error))
        hint = next((hint for part, hint in HINTS if part in str(error)), "")
        raise ConnectionFailed(f"cannot connect: {message}", hint=hint) from None


def _without(secret: str, text: str) -> str:
    return text.replace(secret, "***") if secret else text


@contextmanager
def translated(kind: type[MigrationError], what: str) -> Iterator[None]:
    """Tell what the server or the file system refused as one error: `what: why`."""
    try:
        yield
    except psycopg2.Error as error:
        raise kind(f"{what}: {first_line(error)}") from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        where = f" ({error.filename})" if error.filename else ""
        raise kind(f"{what}: {why}{where}") from error
