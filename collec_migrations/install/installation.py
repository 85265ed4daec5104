"""Install: decide all pieces, refuse what would fail, make what is missing, in one order."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace

from collec_migrations.errors import (
    ConfigurationDenied,
    ConfigurationElsewhere,
    HbaUnreadable,
    MigrationError,
)
from collec_migrations.install import (
    access_proof,
    chain,
    creation,
    pieces,
    preconditions,
    secret,
)
from collec_migrations.install import (
    access_rules as rules,
)
from collec_migrations.install import (
    inventory as found,
)
from collec_migrations.install.access_rules import Access
from collec_migrations.install.administrator import Administrator
from collec_migrations.install.chain import Say
from collec_migrations.install.inventory import Found
from collec_migrations.install.pieces import Piece
from collec_migrations.install.request import Wanted
from collec_migrations.postgres import advisory_lock, configuration, hba_change, hba_file
from collec_migrations.postgres.hba_change import Applied
from collec_migrations.postgres.password import Ask, Password

INSIDE = ("extension", "schema", "default rights")
WAIT = 60.0
"""Seconds to wait for another installation on the same server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is there, and what is to be made."""

    wanted: Wanted
    found: Found
    pieces: tuple[Piece, ...]
    access: Access
    password: Password | None = field(repr=False)
    """None: it is asked or made when the role is."""

    @property
    def differs(self) -> bool:
        """Whether a piece is there in another shape."""
        return any(piece.state == "differs" for piece in self.pieces)

    def missing(self, *kinds: str) -> tuple[Piece, ...]:
        """Return the pieces of these kinds that are to be made."""
        return tuple(one for one in self.pieces if one.kind in kinds and one.state == "make")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an installation made."""

    plan: Plan
    rules: Applied | None
    """None: the access rules were not touched."""


@contextmanager
def alone(admin: Administrator, *, say: Say) -> Iterator[None]:
    """Let no other installation look or make in the meantime; raise Locked after a minute."""
    with (
        closing(admin.connect()) as session,
        advisory_lock.held(session, key=advisory_lock.SETUP_KEY, wait=WAIT, say=say),
    ):
        yield


def plan(
    admin: Administrator,
    wanted: Wanted,
    options: Mapping[str, str],
    *,
    say: Say,
    environment: Mapping[str, str] = os.environ,
) -> Plan:
    """Return what would be done, by reading alone; raise for everything that would fail.

    `options` are those of the chain. Raises NotInstallable, NotAdopted, UsageError, NotHere,
    HbaRefused, ConnectionFailed.
    """
    work = chain.job(options, say=say)
    wanted = replace(wanted, version=work.versions[-1], pairs=work.settings.pairs)
    there = found.read(admin, wanted)
    uses = chain.extensions(work)
    preconditions.refuse(wanted, there, uses)
    password = secret.known(admin, wanted, there, environment)
    kept = secret.piece(admin, wanted, there, password)
    access = _access(admin, wanted, there)
    source = secret.source(wanted, password, environment)
    decided = pieces.decided(wanted, there, uses, password=source)
    return Plan(
        wanted=wanted,
        found=there,
        pieces=(*((kept,) if kept else ()), *decided, access.piece),
        access=access,
        password=password,
    )


def install(
    admin: Administrator, told: Plan, options: Mapping[str, str], *, say: Say, ask: Ask | None
) -> Done:
    """Make what a plan tells; `ask` asks for a password on a terminal, if there is one.

    What is there is never changed. Each step is whole or not done, in an order in which running
    again goes on where it was interrupted: the password is kept before the server knows it.
    """
    wanted, password = told.wanted, told.password
    if password is None and told.missing("role"):
        password = secret.new(wanted, ask=ask)
    if password is not None and told.missing("password file"):
        secret.keep(admin, wanted, told.found, password)
    if password is not None and told.missing("role"):
        creation.role(admin, wanted, password)
    if told.missing("database"):
        creation.database(admin, wanted)
    creation.inside(admin, wanted, told.missing(*INSIDE))
    if told.missing("version"):
        chain.run(admin, wanted, options, say=say)
    if not told.missing(rules.KIND):
        return Done(plan=told, rules=None)
    try:
        return Done(plan=told, rules=_apply(admin, told, password))
    except MigrationError as error:
        raise error.ended("everything else is there") from error


def after(done: Done) -> Sequence[Piece]:
    """Return the pieces as they are now: what was to be made is there."""
    return [
        replace(piece, state="there", advice="") if piece.state == "make" else piece
        for piece in done.plan.pieces
    ]


def _access(admin: Administrator, wanted: Wanted, there: Found) -> Access:
    """Judge the server's access rules; raise when they are to be written and cannot be."""
    with closing(admin.connect()) as session:
        try:
            file = configuration.path(session, "hba_file")
            text = hba_file.decoded(configuration.seen(session, file))
        except (ConfigurationDenied, ConfigurationElsewhere) as error:
            access = rules.unknown(wanted, there, str(error))
            if wanted.apply_hba:
                raise hba_change.by_hand(error, access.block) from error
            return access
        try:
            access = rules.judged(wanted, there, file, text)
        except HbaUnreadable as error:
            if wanted.apply_hba:
                raise
            return rules.unknown(wanted, there, str(error))
        if access.piece.state == "make":
            try:
                hba_change.ready(session)
            except (ConfigurationDenied, ConfigurationElsewhere) as error:
                raise hba_change.by_hand(error, access.block) from error
        return access


def _apply(admin: Administrator, told: Plan, password: Password | None) -> Applied:
    with closing(admin.connect()) as session:
        server = found.read_server(session)
        return hba_change.apply(
            session,
            told.access.block,
            reconnect=admin.connect,
            proofs=tuple(access_proof.proofs(told.wanted, server, password)),
        )
