"""Prove access rules on the server: the account comes in where it shall, and nowhere else."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

import psycopg2
from psycopg2.extensions import make_dsn

from collec_migrations.errors import AccessNotProved
from collec_migrations.install.access_rules import ALWAYS_THERE
from collec_migrations.install.inventory import Server
from collec_migrations.install.request import Wanted
from collec_migrations.postgres.connection import first_line
from collec_migrations.postgres.hba_change import Proof
from collec_migrations.postgres.password import Password

LOOPBACK = "127.0.0.1"
EVERYWHERE = ("*", "0.0.0.0", "localhost", LOOPBACK)
ASKED = "no password supplied"
"""What libpq itself says, in English, when the server asks for a password."""


def proofs(wanted: Wanted, server: Server, password: Password | None) -> Iterator[Proof]:
    """Yield a proof for the account's own database and for each that it must not reach."""
    others = [name for name in ALWAYS_THERE if name in server.databases]
    for host in _doors(server):
        shown = "by the socket" if host.startswith("/") else f"by {host}"
        yield Proof(
            name=f"{wanted.owner} comes into {wanted.database} {shown}",
            check=partial(_let_in, _dsn(wanted, server, host, wanted.database), password),
        )
        for other in others:
            yield Proof(
                name=f"{wanted.owner} does not come into {other} {shown}",
                check=partial(_kept_out, _dsn(wanted, server, host, other), password),
            )


def _doors(server: Server) -> tuple[str, ...]:
    """Return the hosts by which this machine reaches the server."""
    by_tcp = any(one in EVERYWHERE for one in server.listens)
    return (*server.sockets[:1], *((LOOPBACK,) if by_tcp else ()))


def _dsn(wanted: Wanted, server: Server, host: str, database: str) -> str:
    return str(
        make_dsn(host=host, port=server.port, user=wanted.owner, dbname=database,
                 connect_timeout=10, passfile="/dev/null")
    )  # fmt: skip


def _let_in(dsn: str, password: Password | None) -> None:
    refusal = _refusal(dsn, password)
    if refusal and not (password is None and ASKED in refusal):
        raise AccessNotProved(refusal, hint="Is COLLEC_DB_PASSWORD the password of this role?")


def _kept_out(dsn: str, password: Password | None) -> None:
    refusal = _refusal(dsn, password)
    if not refusal or (password is None and ASKED in refusal):
        raise AccessNotProved("it is let in", hint="A rule above our lines lets it in.")


def _refusal(dsn: str, password: Password | None) -> str:
    """Return why the server refuses; empty when it lets us in."""
    # An empty password keeps libpq from PGPASSWORD; no file is looked into.
    clear = password.clear if password else ""
    try:
        with closing(psycopg2.connect(dsn, password=clear)):
            return ""
    except psycopg2.OperationalError as error:
        return first_line(error).replace(clear, "***") if clear else first_line(error)
