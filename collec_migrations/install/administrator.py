"""How to come in as the administrator: also as root, by the account that the server trusts."""

import codecs
import getpass
import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations.errors import ConnectionFailed
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.connection import Connection
from collec_migrations.postgres.conninfo import Address

SUPERUSER = "postgres"
SOCKETS = ("/var/run/postgresql", "/run/postgresql", "/tmp")
"""Where distributions and PostgreSQL itself put the socket."""
MAINTENANCE = "postgres"
CODECS = ("ascii", "utf-8", "latin-1")
"""What psycopg2 may look up while it connects: `ascii` for a server with SQL_ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """An address of a superuser, and the account of the system that the server knows it by."""

    address: Address
    account: str = ""
    """Whom root becomes for the moment of connecting; empty: nobody."""

    @property
    def host(self) -> str:
        """The host of the address, a folder for a socket; empty: libpq's own default."""
        return str(parse_dsn(self.address.dsn).get("host", os.environ.get("PGHOST", "")))

    def connect(self, dbname: str = "", *, role: str = "") -> Connection:
        """Open a session on a database, as another role if one is named; it may be refused.

        Raises ConnectionFailed.
        """
        # Named here, or psycopg2 would load another codec while we are another account, who may
        # not read our Python.
        words = {"client_encoding": "UTF8"}
        if dbname:
            words["dbname"] = dbname
        if role:
            # From the beginning: to this role every `reset role` and `reset all` comes back.
            words["options"] = f"-c role={_escaped(role)}"
        dsn = str(make_dsn(self.address.dsn, **words))
        with acting_as(self.account):
            try:
                return database.connect(Address(dsn))
            except ConnectionFailed as error:
                raise _explained(error, self) from error


def of(address: Address | None) -> Administrator:
    """Return how to reach a server: by an address, else by its socket as `postgres`.

    Root acts as the account of the same name as the role, as `sudo -u` would, when the address is a
    socket: PostgreSQL's peer authentication asks the system who opened it.
    """
    if address is None:
        folder = next((one for one in SOCKETS if any(Path(one).glob(".s.PGSQL.*"))), SOCKETS[0])
        address = Address(str(make_dsn(host=folder, user=SUPERUSER, dbname=MAINTENANCE)))
    address = Address(str(make_dsn(address.dsn, **_lacking(parse_dsn(address.dsn)))))
    parts = parse_dsn(address.dsn)
    user = str(parts.get("user", os.environ.get("PGUSER", getpass.getuser())))
    host = str(parts.get("host", os.environ.get("PGHOST", "")))
    local = not host or host.startswith(("/", "@"))
    is_other = os.geteuid() == 0 and user != "root" and _is_account(user)
    return Administrator(address=address, account=user if local and is_other else "")


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


def _is_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


@contextmanager
def acting_as(account: str) -> Iterator[None]:
    """Be another account while a socket is opened: the server reads the effective one (unix(7))."""
    if not account:
        yield
        return
    entry = pwd.getpwnam(account)
    for codec in CODECS:
        codecs.lookup(codec)  # that account may not be able to read our Python
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


def _escaped(role: str) -> str:
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
