"""Open a connection, as the administrator too, and say in one line why it cannot be opened."""

import codecs
import getpass
import os
import pwd
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812  (a class in psycopg2)
from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations.errors import ConnectionFailed, MigrationError
from collec_migrations.postgres import prologue, signals
from collec_migrations.postgres.conninfo import Address

if TYPE_CHECKING:
    from psycopg2.extras import PhysicalReplicationConnection

SUPERUSER = "postgres"
CODECS = ("ascii", "utf-8", "latin-1")
"""What psycopg2 may look up while it connects: `ascii` for a server with SQL_ASCII."""
_ONE_AT_A_TIME = threading.RLock()


def attempts(dsn: str, environment: Mapping[str, str] = os.environ) -> Iterator[tuple[str, str]]:
    """Yield addresses to try, each with the account to be meanwhile; empty: ourselves.

    Only root at a socket has more than one: the account of the role's name first, `postgres` when
    no role is named, then root itself (a server that trusts, or a password in root's own files).
    """
    parts = parse_dsn(dsn)
    host = str(parts.get("host") or environment.get("PGHOST", ""))
    far = host and not host.startswith(("/", "@"))
    named = parts.get("user") or environment.get("PGUSER", "")
    unknown = "service" in parts or bool(environment.get("PGSERVICE"))
    if os.geteuid() == 0 and not far and not parts.get("hostaddr") and not unknown:
        user = str(named or SUPERUSER)
        if user != getpass.getuser() and is_account(user):
            # The encoding is named, or psycopg2 would load another codec while we are another
            # account, who may not read our Python.
            yield str(make_dsn(dsn, user=user, client_encoding="UTF8")), user
    yield dsn, ""


def is_account(name: str) -> bool:
    """Tell whether the system knows an account of this name."""
    try:
        return pwd.getpwnam(name).pw_uid != 0
    except KeyError:
        return False


@contextmanager
def acting_as(account: str) -> Iterator[None]:
    """Be another account while a socket is opened: the server reads the effective one (unix(7))."""
    if not account:
        yield
        return
    entry = pwd.getpwnam(account)
    for codec in CODECS:
        codecs.lookup(codec)  # that account may not be able to read our Python
    with _ONE_AT_A_TIME:
        group = os.getegid()
        os.setegid(entry.pw_gid)
        try:
            os.seteuid(entry.pw_uid)
            try:
                yield
            finally:
                os.seteuid(0)
        finally:
            os.setegid(group)


__all__ = ["Connection", "Error", "connect", "connect_for_replication", "first_line", "translated"]

OURSELVES = "collec-migrations"

Error: TypeAlias = psycopg2.Error

WRONG_PASSWORD = r"password authentication failed|authentification par mot de passe"
MISSING_DATABASE = r"database .* does not exist|la base de donn.{1,2}es .* n'existe pas"
HINTS = (
    (WRONG_PASSWORD, "Check the password; ~/.pgpass can hold it (mode 0600)."),
    ("no password supplied", "Put the password in ~/.pgpass (mode 0600) or in PGPASSFILE."),
    (
        "[Pp]eer authentication failed|authentification peer",
        "Run as that account, or connect by host with a password.",
    ),
    (
        "[Ii]dent authentication failed|authentification Ident",
        "Run as that account, or connect by host with a password.",
    ),
    (r"pg_hba\.conf", "The server's pg_hba.conf does not let this account in from here."),
    ("does not exist|n'existe pas", "Create it first, or correct the address."),
    ("could not translate host name", "Correct the host's name in the address."),
    ("refused", "Is the server running, and does it listen on that host and port?"),
    ("No such file or directory", "Is the server running? Its socket is not there."),
    ("timeout expired", "The host does not answer; check the address and the firewall."),
    ("too many|trop de", "All connections of the server are in use; try again later."),
    ("starting up|se lance", "The server is starting; try again in a moment."),
    ("definition of service", "Correct PGSERVICE, or the service in ~/.pg_service.conf."),
)
"""Patterns of what is said before anybody is let in: by then nobody can choose the language.

French beside English, as the application's sites have it; its accents come as question marks.
"""


def connect(
    address: Address, *, lock_timeout: float | None = None, read_only: bool = False
) -> Connection:
    """Open a connection in UTF-8 with our settings; raise `ConnectionFailed`: a line, a hint.

    `lock_timeout`: seconds that a statement waits for a lock at most; None: what the server has.
    `read_only`: each statement is a transaction of its own, which may not write.

    Root becomes the account that a socket's peer authentication asks for.
    """
    signals.watch_statements()
    with _as_one_line(address):
        connection, _, _ = _opened(prologue.with_keepalives(address.dsn))
        connection.set_client_encoding("UTF8")
        prologue.begin(connection, lock_timeout, read_only=read_only)
    return connection


def _opened(dsn: str) -> tuple[Connection, str, str]:
    """Return a connection by the first way that the server takes, with its address and account.

    Raises what the last way got.
    """
    *others, (last, _) = attempts(dsn)
    for text, account in others:
        try:
            with acting_as(account):
                connection = psycopg2.connect(text, fallback_application_name=OURSELVES)
        except psycopg2.OperationalError:
            continue
        return connection, text, account
    return psycopg2.connect(last, fallback_application_name=OURSELVES), last, ""


def way_in(address: Address) -> tuple[str, str]:
    """Return the address, with the role, and the account that root has to be for the server.

    For programs that connect by themselves. The account is empty where it needs no other one; then
    nothing is tried here.
    """
    if len(list(attempts(address.dsn))) == 1:
        return address.dsn, ""
    try:
        connection, text, account = _opened(address.dsn)
    except psycopg2.OperationalError:
        return address.dsn, ""
    connection.close()
    return text, account


def connect_for_replication(address: Address) -> "PhysicalReplicationConnection":
    """Open a connection that takes replication commands alone; raise `ConnectionFailed`."""
    from psycopg2.extras import PhysicalReplicationConnection  # it loads `logging`

    with _as_one_line(address):
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
def _as_one_line(address: Address) -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        message = _without(address.password, first_line(error))
        hint = next((hint for said, hint in HINTS if re.search(said, str(error))), "")
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


SOCKETS = ("/var/run/postgresql", "/run/postgresql", "/tmp")
"""Where distributions and PostgreSQL itself put the socket."""
MAINTENANCE = "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """How to come in as a superuser."""

    address: Address

    @property
    def host(self) -> str:
        """The host of the address, a folder for a socket; empty: libpq's own default."""
        return str(parse_dsn(self.address.dsn).get("host", os.environ.get("PGHOST", "")))

    def connect(self, dbname: str = "", *, role: str = "") -> Connection:
        """Open a session on a database, as another role if one is named; it may be refused.

        Raises ConnectionFailed.
        """
        words = {"dbname": dbname} if dbname else {}
        if role:
            # From the beginning: to this role every `reset role` and `reset all` comes back.
            words["options"] = f"-c role={_option_escaped(role)}"
        dsn = str(make_dsn(self.address.dsn, **words))
        try:
            return connect(Address(dsn))
        except ConnectionFailed as error:
            raise _explained(error, self) from error


def administrator(address: Address | None) -> Administrator:
    """Return how to reach a server: by an address, else by its socket as `postgres`."""
    if address is None:
        folder = next((one for one in SOCKETS if any(Path(one).glob(".s.PGSQL.*"))), SOCKETS[0])
        address = Address(str(make_dsn(host=folder, user=SUPERUSER, dbname=MAINTENANCE)))
    address = Address(str(make_dsn(address.dsn, **_lacking(parse_dsn(address.dsn)))))
    return Administrator(address=address)


def _lacking(parts: Mapping[str, str]) -> dict[str, str]:
    """Return what an administrator means by an address that does not say it."""
    if "service" in parts or os.environ.get("PGSERVICE"):
        return {}
    found = {}
    if "dbname" not in parts and not os.environ.get("PGDATABASE"):
        found["dbname"] = MAINTENANCE
    if "user" not in parts and not os.environ.get("PGUSER") and os.geteuid() == 0:
        found["user"] = SUPERUSER
    return found


def _option_escaped(role: str) -> str:
    """Return a role as one word of libpq's `options` (manual, 34.1.2)."""
    return role.replace("\\", "\\\\").replace(" ", "\\ ").replace("\t", "\\\t")


def _explained(error: ConnectionFailed, who: Administrator) -> ConnectionFailed:
    """Say what an administrator does about it: the usual mistake is the wrong account."""
    text = str(error).lower()
    local = not who.host or who.host.startswith("/")
    if local and os.geteuid() != 0 and any(word in text for word in ("peer", "role", "ident")):
        return ConnectionFailed(
            str(error), hint="Run as the server's account: sudo -u postgres collec-migrations "
            "install ..., or name an administrator with --url.",
        )  # fmt: skip
    return ConnectionFailed(
        str(error),
        hint=f"{error.hint} An administrator connects here; name one with --url.".strip(),
    )
