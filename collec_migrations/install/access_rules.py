"""The access rules of an installation: the account reaches its own database and no other.

They are proved on the server: it comes into its own database, and into no other.
"""

import ipaddress
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
from collec_migrations.postgres import configuration, hba
from collec_migrations.postgres.configuration import Block
from collec_migrations.postgres.connection import first_line
from collec_migrations.postgres.hba import Attempt, Match, Proof, Rule
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
    caught_by: tuple[Rule, ...]
    """Rules in force that decide otherwise for the account."""


def unknown(desired: Desired, found: Found, why: str) -> Access:
    """Return the access rules for a server whose file cannot be read from here."""
    resource = Resource(kind=KIND, name="pg_hba.conf", state="shown", detail=why)
    return Access(resource=resource, block=_block(desired, found, ()), caught_by=())


def judge(desired: Desired, found: Found, file: Path, text: str) -> Access:
    """Return the access rules for a server whose file holds a text. Raises HbaUnreadable."""
    version = found.server.version
    name = _name(desired)
    held = hba.parse(configuration.inside_block(text, name), file, version=version)
    kept = tuple(
        token.text
        for rule in held
        for token in rule.databases
        if rule.method != "reject" and token.text != desired.database
    )
    block = _block(desired, found, tuple(dict.fromkeys(kept)))
    present = hba.parse(text, file, version=version)
    wrong = tuple(_wrong(present, desired, found, kept))
    if not wrong:
        return Access(resource=Resource(kind=KIND, name=str(file), state="there"), block=block,
                      caught_by=())  # fmt: skip
    caught_by = tuple(dict.fromkeys(rule for rule in wrong if rule is not None))
    resource = Resource(
        kind=KIND,
        name=str(file),
        state="make" if desired.apply_hba else "shown",
        detail=f"{desired.owner} reaches {desired.database} and no other database",
        advice="" if desired.apply_hba else "leave out --no-hba, or put the lines above all rules",
    )
    return Access(resource=resource, block=block, caught_by=caught_by)


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


def _wrong(
    present: Sequence[Rule], desired: Desired, found: Found, kept: Sequence[str]
) -> Iterator[Rule | None]:
    """Yield the rule that decides otherwise, or None for no rule, for each wrong attempt."""
    for attempt in _attempts(desired, found, desired.database):
        caught = hba.catching(present, attempt)
        sure = bool(caught) and caught[-1].match(attempt) is Match.YES
        if not sure:
            yield None
        yield from (rule for rule in caught if rule.method not in BY_PASSWORD)
    others = {*found.server.databases, *ALWAYS_THERE} - {desired.database, *kept}
    for database in sorted(others):
        for attempt in _attempts(desired, found, database):
            yield from (rule for rule in hba.catching(present, attempt) if rule.method != "reject")


def _attempts(desired: Desired, found: Found, database: str) -> Iterator[Attempt]:
    member_of = found.role.member_of if found.role else frozenset()
    addresses: list[str | None] = [None]
    for network in (*LOOPBACKS, *desired.networks):
        addresses.append(str(ipaddress.ip_network(network)[0]))
    for address in addresses:
        yield Attempt(user=desired.owner, database=database, address=address, member_of=member_of)


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
