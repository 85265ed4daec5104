"""Install: decide every resource, refuse what would fail, create what is missing, in one order."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from collec_migrations.errors import (
    ConfigurationDenied,
    ConfigurationElsewhere,
    InstallFailed,
    MigrationError,
)
from collec_migrations.install import access_rules as rules
from collec_migrations.install import account_password, state
from collec_migrations.install.access_rules import Access
from collec_migrations.install.resources import Resource, decide, refuse
from collec_migrations.install.state import Desired, Found
from collec_migrations.migrate.required_extensions import Use
from collec_migrations.postgres import configuration, hba, locks
from collec_migrations.postgres.connection import Administrator, Connection, first_line
from collec_migrations.postgres.hba import Applied
from collec_migrations.postgres.password import Ask, Password, verifier

if TYPE_CHECKING:
    from collec_migrations.migrate.job import Job

Say = Callable[[str], None]
ROLE = "create role {} login nosuperuser nocreatedb nocreaterole noreplication password {}"
DATABASE = "create database {} owner {} encoding 'UTF8' template template0"
EXTENSION = "create extension if not exists {} schema public"
SCHEMA = "create schema {} authorization {}"
DEFAULTS = "alter default privileges in schema {} grant all on {} to {}"
KINDS = ("tables", "sequences", "functions")
INSIDE = ("extension", "schema", "default rights")
WAIT = 60.0
"""Seconds to wait for another installation on the same server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is there, and what is to be made."""

    desired: Desired
    found: Found
    resources: tuple[Resource, ...]
    access: Access
    password: Password | None = field(repr=False)
    """None: it is asked or made when the role is."""

    @property
    def differs(self) -> bool:
        """Whether a resource is there in another shape."""
        return any(resource.state == "differs" for resource in self.resources)

    def missing(self, *kinds: str) -> tuple[Resource, ...]:
        """Return the resources of these kinds that are to be made."""
        return tuple(one for one in self.resources if one.kind in kinds and one.state == "make")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an installation made."""

    plan: Plan
    rules: Applied | None
    """None: the access rules were not touched."""


@contextmanager
def locked(admin: Administrator, *, say: Say) -> Iterator[None]:
    """Let no other installation look or make in the meantime; raise Locked after a minute."""
    with (
        closing(admin.connect()) as session,
        locks.held(session, key=locks.SETUP_KEY, wait=WAIT, say=say),
    ):
        yield


def plan(
    admin: Administrator,
    desired: Desired,
    options: Mapping[str, str],
    *,
    say: Say,
    environment: Mapping[str, str] = os.environ,
) -> Plan:
    """Return what would be done, by reading alone; raise for everything that would fail.

    `options` are those of the chain. Raises InstallRefused, NotAdopted, UsageError, NotHere,
    HbaRefused, ConnectionFailed.
    """
    work = _job(options, say=say)
    desired = replace(desired, version=work.versions[-1], pairs=work.settings.pairs)
    there = state.read(admin, desired)
    uses = _extensions_used(work)
    refuse(desired, there, uses)
    password = account_password.known(admin, desired, there, environment)
    kept = account_password.resource(admin, desired, there, password)
    access = _access(admin, desired, there)
    source = account_password.source(desired, password, environment)
    decided = decide(desired, there, uses, password=source)
    return Plan(
        desired=desired,
        found=there,
        resources=(*((kept,) if kept else ()), *decided, access.resource),
        access=access,
        password=password,
    )


def install(
    admin: Administrator, plan: Plan, options: Mapping[str, str], *, say: Say, ask: Ask | None
) -> Done:
    """Make what a plan says; `ask` asks for a password on a terminal, if there is one.

    What is there is never changed. Each step is whole or not done, in an order in which running
    again goes on where it was interrupted: the password is kept before the server knows it.
    """
    desired, password = plan.desired, plan.password
    if password is None and plan.missing("role"):
        password = account_password.new(desired, ask=ask)
    if password is not None and plan.missing("password file"):
        account_password.keep(admin, desired, plan.found, password)
    if password is not None and plan.missing("role"):
        _create_role(admin, desired, password)
    if plan.missing("database"):
        _create_database(admin, desired)
    _create_inside(admin, desired, plan.missing(*INSIDE))
    if plan.missing("version"):
        _migrate(admin, desired, options, say=say)
    if not plan.missing(rules.KIND):
        return Done(plan=plan, rules=None)
    try:
        return Done(plan=plan, rules=_apply(admin, plan, password))
    except MigrationError as error:
        raise error.ended("everything else is there") from error


def after(done: Done) -> Sequence[Resource]:
    """Return the resources as they are now: what was to be made is there."""
    return [
        replace(resource, state="there", advice="") if resource.state == "make" else resource
        for resource in done.plan.resources
    ]


def _access(admin: Administrator, desired: Desired, there: Found) -> Access:
    """Judge the server's access rules; raise when they are to be written and cannot be."""
    with closing(admin.connect()) as session:
        try:
            file = configuration.path(session, "hba_file")
            text = configuration.decoded(configuration.seen(session, file))
        except (ConfigurationDenied, ConfigurationElsewhere) as error:
            access = rules.unknown(desired, there, str(error))
            if desired.apply_hba:
                raise hba.lines_by_hand(error, access.block) from error
            return access
        access = rules.judge(desired, there, file, text)
        if access.resource.state == "make":
            try:
                hba.ready(session)
            except (ConfigurationDenied, ConfigurationElsewhere) as error:
                raise hba.lines_by_hand(error, access.block) from error
        return access


def _apply(admin: Administrator, plan: Plan, password: Password | None) -> Applied:
    with closing(admin.connect()) as session:
        server = state.read_server(session)
        return hba.apply(
            session,
            plan.access.block,
            reconnect=admin.connect,
            proofs=tuple(rules.proofs(plan.desired, server, password)),
        )


def _create_role(admin: Administrator, desired: Desired, password: Password) -> None:
    """Create the account with a verifier that is computed here."""
    with _session(admin, "", f"role {desired.owner}") as session:
        kept = sql.Literal(verifier(session, desired.owner, password))
        _execute(session, sql.SQL(ROLE).format(sql.Identifier(desired.owner), kept))


def _create_database(admin: Administrator, desired: Desired) -> None:
    """Create the database."""
    names = sql.Identifier(desired.database), sql.Identifier(desired.owner)
    with _session(admin, "", f"database {desired.database}") as session:
        _execute(session, sql.SQL(DATABASE).format(*names))


def _create_inside(admin: Administrator, desired: Desired, resources: Sequence[Resource]) -> None:
    """Create extensions, schemas and default rights, all or none of them."""
    if not resources:
        return
    what = ", ".join(f"{resource.kind} {resource.name}" for resource in resources)
    with _session(admin, desired.database, what) as session:
        session.autocommit = False
        for resource in resources:
            for statement in _statements(resource, sql.Identifier(desired.owner)):
                _execute(session, statement)
        session.commit()


def _statements(resource: Resource, owner: sql.Identifier) -> Iterator[sql.Composable]:
    name = sql.Identifier(resource.name)
    if resource.kind == "extension":
        yield sql.SQL(EXTENSION).format(name)
    elif resource.kind == "schema":
        yield sql.SQL(SCHEMA).format(name, owner)
    else:
        for kind in KINDS:
            yield sql.SQL(DEFAULTS).format(name, sql.SQL(kind), owner)


def _execute(session: Connection, statement: sql.Composable) -> None:
    with session.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def _session(admin: Administrator, dbname: str, what: str) -> Iterator[Connection]:
    with closing(admin.connect(dbname)) as session:
        session.autocommit = True
        try:
            yield session
        except psycopg2.Error as error:
            raise InstallFailed(
                f"{what} could not be created: {first_line(error)}",
                hint="Fix the cause and run the same command again: what exists is kept, the "
                "rest is created.",
            ) from error


def _job(options: Mapping[str, str], *, say: Say) -> "Job":
    """Return what `upgrade head` would have to do: versions and settings, without any server."""
    from collec_migrations.migrate import verbs
    from collec_migrations.migrate.environment import alembic_config, errors_unwrapped

    with errors_unwrapped():
        return verbs.upgrade_job(alembic_config(options, say=say), "head")


def _extensions_used(job: "Job") -> tuple[Use, ...]:
    """Return the extensions that the newest version needs, from its creation on."""
    from collec_migrations.migrate import plan

    return plan.extensions_used(job, job.settings.pairs[0])


def _migrate(
    admin: Administrator, desired: Desired, options: Mapping[str, str], *, say: Say
) -> Mapping[str, str | None]:
    """Bring the database to the newest version as the owner; return what each schema is at."""
    # Alembic and SQLAlchemy take 0.45 s to import: who reads this room does not pay for them.
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    from collec_migrations.migrate import verbs

    engine = create_engine(
        "postgresql+psycopg2://",
        creator=lambda: admin.connect(desired.database, role=desired.owner),
        poolclass=NullPool,
        use_native_hstore=False,
    )
    try:
        return verbs.upgrade(options, "head", say=say, lent=engine)
    finally:
        engine.dispose()
