"""The access rules of an installation: the account reaches its own database and no other. Pure."""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.install.inventory import Found
from collec_migrations.install.pieces import Piece
from collec_migrations.install.request import Wanted
from collec_migrations.postgres import config_block as blocks
from collec_migrations.postgres import hba_file, hba_rules
from collec_migrations.postgres.config_block import Block
from collec_migrations.postgres.hba_rules import Attempt, Match, Rule
from collec_migrations.postgres.scram import SCRAM_SINCE

LOOPBACK = ("127.0.0.1/32", "::1/128")
BY_PASSWORD = ("scram-sha-256", "md5")
ALWAYS_THERE = ("postgres", "template1")
KIND = "access rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What pg_hba.conf is to hold, and what becomes of it."""

    piece: Piece
    block: Block
    caught_by: tuple[Rule, ...]
    """Rules in force that decide otherwise for the account."""


def unknown(wanted: Wanted, found: Found, why: str) -> Access:
    """Return the access rules for a server whose file cannot be read from here."""
    piece = Piece(kind=KIND, name="pg_hba.conf", state="shown", detail=why)
    return Access(piece=piece, block=_block(wanted, found, ()), caught_by=())


def judged(wanted: Wanted, found: Found, file: Path, text: str) -> Access:
    """Return the access rules for a server whose file holds a text. Raises HbaUnreadable."""
    version = found.server.version
    name = _name(wanted)
    held = hba_file.parse(blocks.inner(text, name), file, version=version)
    kept = tuple(
        token.text
        for rule in held
        for token in rule.databases
        if rule.method != "reject" and token.text != wanted.database
    )
    block = _block(wanted, found, tuple(dict.fromkeys(kept)))
    present = hba_file.parse(text, file, version=version)
    wrong = tuple(_wrong(present, wanted, found, kept))
    if not wrong:
        return Access(piece=Piece(kind=KIND, name=str(file), state="there"), block=block,
                      caught_by=())  # fmt: skip
    caught_by = tuple(dict.fromkeys(rule for rule in wrong if rule is not None))
    piece = Piece(
        kind=KIND,
        name=str(file),
        state="make" if wanted.apply_hba else "shown",
        detail=f"{wanted.owner} reaches {wanted.database} and no other database",
        advice="" if wanted.apply_hba else "add --apply-hba, or put the lines above all rules",
    )
    return Access(piece=piece, block=block, caught_by=caught_by)


def _name(wanted: Wanted) -> str:
    return f"install {blocks.quoted(wanted.owner)}"


def _block(wanted: Wanted, found: Found, kept: Sequence[str]) -> Block:
    role = found.role
    old = found.server.version < SCRAM_SINCE or (role is not None and role.kept == "md5")
    method = "md5" if old else "scram-sha-256"
    owner = blocks.quoted(wanted.owner)
    own = ",".join(blocks.quoted(name) for name in (wanted.database, *kept))
    networks = (*LOOPBACK, *(one for one in wanted.networks if one not in LOOPBACK))
    return Block(
        name=_name(wanted),
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
    present: Sequence[Rule], wanted: Wanted, found: Found, kept: Sequence[str]
) -> Iterator[Rule | None]:
    """Yield the rule that decides otherwise, or None for no rule, for each wrong attempt."""
    for attempt in _attempts(wanted, found, wanted.database):
        caught = hba_rules.catching(present, attempt)
        sure = bool(caught) and caught[-1].match(attempt) is Match.YES
        if not sure:
            yield None
        yield from (rule for rule in caught if rule.method not in BY_PASSWORD)
    others = {*found.server.databases, *ALWAYS_THERE} - {wanted.database, *kept}
    for database in sorted(others):
        for attempt in _attempts(wanted, found, database):
            yield from (
                rule for rule in hba_rules.catching(present, attempt) if rule.method != "reject"
            )


def _attempts(wanted: Wanted, found: Found, database: str) -> Iterator[Attempt]:
    member_of = found.role.member_of if found.role else frozenset()
    addresses: list[str | None] = [None]
    for network in (*LOOPBACK, *wanted.networks):
        addresses.append(str(ipaddress.ip_network(network)[0]))
    for address in addresses:
        yield Attempt(user=wanted.owner, database=database, address=address, member_of=member_of)
