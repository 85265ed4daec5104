"""The access rules of an installation: the account reaches its own database and no other.

They are proved on the server: it comes into its own database, and into no other.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg2
from psycopg2.extensions import make_dsn

from collec_migrations.errors import AccessNotProved
from collec_migrations.install.resources import Resource
from collec_migrations.install.state import Desired, Found, Server
from collec_migrations.postgres import configuration
from collec_migrations.postgres.configuration import Block
from collec_migrations.postgres.connection import first_line
from collec_migrations.postgres.hba import Proof
from collec_migrations.postgres.password import Password, algorithm

LOOPBACKS = ("127.0.0.1/32", "::1/128")
BY_PASSWORD = ("scram-sha-256", "md5")
ALWAYS_THERE = ("postgres", "template1")
KIND = "access rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What pg_hba.conf is to hold, and what becomes of it."""

    resource: Resource
    block: Block


def unknown(desired: Desired, found: Found, why: str) -> Access:
    """Return the access rules for a server whose file cannot be read from here."""
    resource = Resource(kind=KIND, name="pg_hba.conf", state="shown", detail=why)
    return Access(resource=resource, block=_block(desired, found, ()))


def judge(desired: Desired, found: Found, file: Path, text: str) -> Access:
    """Return the access rules for a server whose file holds a text."""
    held = _LINE.match(configuration.inside_block(text, _name(desired)))
    words = _NAME.findall(held[1]) if held else []
    others = [word.strip('"').replace('""', '"') for word in words]
    kept = [name for name in others if name != desired.database]
    block = _block(desired, found, kept)
    if block.is_first_in(text):
        return Access(resource=Resource(kind=KIND, name=str(file), state="there"), block=block)
    resource = Resource(
        kind=KIND,
        name=str(file),
        state="make" if desired.apply_hba else "shown",
        detail=f"{desired.owner} reaches {desired.database} and no other database",
        advice="" if desired.apply_hba else "leave out --no-hba, or put the lines above all rules",
    )
    return Access(resource=resource, block=block)


_NAME = re.compile(r'"(?:[^"]|"")*"|[^\s",]+')
_LINE = re.compile(rf"local\s+((?:{_NAME.pattern},?)+)")
"""The first line of a block of ours, with the databases that the account may enter."""


def _name(desired: Desired) -> str:
    return f"install {configuration.quoted_name(desired.owner)}"


def _block(desired: Desired, found: Found, kept: Sequence[str]) -> Block:
    role = found.role
    kept_as_md5 = role is not None and role.kept == "md5"
    method = "md5" if kept_as_md5 else algorithm(found.server.version)
    owner = configuration.quoted_name(desired.owner)
    own = ",".join(configuration.quoted_name(name) for name in (desired.database, *kept))
    networks = (*LOOPBACKS, *(one for one in desired.networks if one not in LOOPBACKS))
    return Block(
        name=_name(desired),
        lines=(
            _line("local", own, owner, "", method),
            *(_line("host", own, owner, network, method) for network in networks),
            _line("local", "all", owner, "", "reject"),
            _line("host", "all", owner, "all", "reject"),
        ),
    )


def _line(kind: str, database: str, user: str, address: str, method: str) -> str:
    return f"{kind:<7} {database:<15} {user:<15} {address:<22} {method}"


LOOPBACK = "127.0.0.1"
EVERYWHERE = ("*", "0.0.0.0", "localhost", LOOPBACK)
ASKED = "no password supplied"
"""What libpq itself says, in English, when the server asks for a password."""


def proofs(desired: Desired, server: Server, password: Password | None) -> Iterator[Proof]:
    """Yield a proof for the account's own database and for each that it must not reach."""
    others = [name for name in ALWAYS_THERE if name in server.databases]
    for host in _hosts(server):
        shown = "by the socket" if host.startswith("/") else f"by {host}"
        yield Proof(
            name=f"{desired.owner} can connect to {desired.database} {shown}",
            check=partial(_may_connect, _dsn(desired, server, host, desired.database), password),
        )
        for other in others:
            yield Proof(
                name=f"{desired.owner} cannot connect to {other} {shown}",
                check=partial(_may_not_connect, _dsn(desired, server, host, other), password),
            )


def _hosts(server: Server) -> tuple[str, ...]:
    """Return the hosts by which this machine reaches the server."""
    by_tcp = any(one in EVERYWHERE for one in server.listens)
    return (*server.sockets[:1], *((LOOPBACK,) if by_tcp else ()))


def _dsn(desired: Desired, server: Server, host: str, database: str) -> str:
    return str(
        make_dsn(host=host, port=server.port, user=desired.owner, dbname=database,
                 connect_timeout=10, passfile="/dev/null")
    )  # fmt: skip


def _may_connect(dsn: str, password: Password | None) -> None:
    refusal = _refusal(dsn, password)
    if refusal and not (password is None and ASKED in refusal):
        raise AccessNotProved(refusal, hint="Is COLLEC_DB_PASSWORD the password of this role?")


def _may_not_connect(dsn: str, password: Password | None) -> None:
    refusal = _refusal(dsn, password)
    if not refusal or (password is None and ASKED in refusal):
        raise AccessNotProved("it can connect", hint="A rule above these lines allows it.")


def _refusal(dsn: str, password: Password | None) -> str:
    """Return why the server refuses; empty when it accepts."""
    # An empty password keeps libpq from PGPASSWORD; no file is looked into.
    clear = password.clear if password else ""
    try:
        with closing(psycopg2.connect(dsn, password=clear)):
            return ""
    except psycopg2.OperationalError as error:
        return first_line(error).replace(clear, "***") if clear else first_line(error)
