"""How to come in as the administrator."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn

from collec_migrations.errors import ConnectionFailed
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import peer
from collec_migrations.postgres.connection import Connection
from collec_migrations.postgres.conninfo import Address

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
            words["options"] = f"-c role={_escaped(role)}"
        dsn = str(make_dsn(self.address.dsn, **words))
        try:
            return database.connect(Address(dsn))
        except ConnectionFailed as error:
            raise _explained(error, self) from error


def of(address: Address | None) -> Administrator:
    """Return how to reach a server: by an address, else by its socket as `postgres`."""
    if address is None:
        folder = next((one for one in SOCKETS if any(Path(one).glob(".s.PGSQL.*"))), SOCKETS[0])
        address = Address(str(make_dsn(host=folder, user=peer.SUPERUSER, dbname=MAINTENANCE)))
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
        found["user"] = peer.SUPERUSER
    return found


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
