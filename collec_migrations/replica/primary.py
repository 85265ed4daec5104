"""Prepare a running primary for a standby: say all that is missing, and write it when asked to."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import MigrationError, ReplicationFailed, ReplicationRefused
from collec_migrations.postgres import hba_change as hba
from collec_migrations.postgres import passfile, password, scram
from collec_migrations.postgres import server_settings as serverconf
from collec_migrations.postgres.config_block import Block
from collec_migrations.postgres.configuration import Reconnect
from collec_migrations.postgres.connection import Connection, translated
from collec_migrations.postgres.passfile import Entry
from collec_migrations.replica import (
    accounts,
    managers,
    primary_access,
    primary_checks,
    primary_state,
)
from collec_migrations.replica.accounts import REP, REWIND, Role
from collec_migrations.replica.primary_checks import Finding
from collec_migrations.replica.primary_state import Primary

CONF = "collec-standby"
"""The name of our file in conf.d, or of our block in postgresql.conf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a primary lacks for a standby."""

    primary: Primary
    standby: str
    findings: tuple[Finding, ...]
    roles: tuple[Role, ...]
    """Those that are not there, or may not do what they are for."""
    weak: tuple[str, ...]
    """Roles whose password is kept as MD5."""
    access: Block
    lets_in: bool | None
    """Whether pg_hba.conf lets the standby in; None when it cannot be read."""
    notes: tuple[str, ...]

    @property
    def settings(self) -> Mapping[str, str]:
        """Return the settings that are to be written."""
        return primary_checks.settings(self.findings)

    @property
    def is_ready(self) -> bool:
        """Tell whether nothing is missing; access that cannot be read is not known to be."""
        return not (self.findings or self.roles or self.weak) and self.lets_in is not False

    @property
    def restart(self) -> tuple[str, ...]:
        """Return the settings that are in force only after a restart."""
        return tuple(one.setting[0] for one in self.findings if one.setting and one.restart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was written."""

    passwords: tuple[str, ...]
    """Roles that have a new password, which is in the password file."""
    settings: Path | None
    access: Path | None
    failures: tuple[MigrationError, ...]
    """What has to be done by hand; the hint holds the text."""
    after: Plan
    """What is still missing: what waits for a restart, and what no setting mends."""


def plan(connect: Reconnect, standby: str) -> Plan:
    """Return what is missing for a standby at an address; touches nothing.

    `connect` opens a session on the primary. Raises ManagedElsewhere, ConnectionFailed,
    ReplicationRefused (a standby; a role that may not see the settings).
    """
    primary_access.network(standby)  # refuses what is not one address
    with closing(connect()) as connection:
        connection.autocommit = True
        return _read(connection, standby)


def apply(
    connect: Reconnect,
    standby: str,
    secrets: Path,
    *,
    new_passwords: bool,
    say: Callable[[str], None],
) -> Done:
    """Write what is missing: roles, settings, access; nothing is restarted.

    New passwords are made by chance, kept in the file `secrets` (0600) before the server has
    their verifiers, and sent to nobody.
    """
    found = plan(connect, standby)
    if not found.primary.is_superuser:
        raise ReplicationRefused(
            "only a superuser can prepare a primary",
            hint="Run it on the server's machine as postgres, or give --url of a superuser.",
        )
    failures: list[MigrationError] = []
    with closing(connect()) as connection:
        passwords = _roles(connection, found, secrets, new_passwords=new_passwords)
        if passwords:
            say(f"the passwords of {' and '.join(passwords)} are in {secrets}")
        connection.autocommit = True
        settings = _attempt(failures, lambda: _settings(connection, connect, found))
        access = _attempt(failures, lambda: _access(connection, connect, found))
    return Done(
        passwords=passwords,
        settings=settings,
        access=access,
        failures=tuple(failures),
        after=plan(connect, standby),
    )


def _read(connection: Connection, standby: str) -> Plan:
    managers.refuse(managers.on_server(connection), where="this server")
    managers.refuse(managers.by_rest(connection.info.host or ""), where="this server")
    state = primary_state.read(connection, roles=(REP, REWIND), standby=standby)
    if state.in_recovery:
        raise ReplicationRefused(
            "this server is a standby itself",
            hint="Run this against its primary: standbys of standbys are not handled.",
        )
    if not state.value("data_directory"):
        raise ReplicationRefused(
            "this role may not see the server's settings",
            hint="Connect as a superuser, or as a member of pg_monitor.",
        )
    encrypted = state.value("ssl") == "on" and not primary_checks.is_loopback(standby)
    lets_in = primary_access.lets_in(connection, standby, encrypted=encrypted)
    notes = primary_checks.notes(state, standby)
    if lets_in is None:
        notes += ("pg_hba.conf was not checked: it cannot be read from here",)
    return Plan(
        primary=state,
        standby=standby,
        findings=primary_checks.missing(state, standby),
        roles=accounts.missing(state.major, state.roles),
        weak=accounts.weak(state.major, state.roles),
        access=primary_access.of(standby, state.major, encrypted=encrypted),
        lets_in=lets_in,
        notes=notes,
    )


def _roles(
    connection: Connection, found: Plan, secrets: Path, *, new_passwords: bool
) -> tuple[str, ...]:
    """Make the roles; return those that have a new password."""
    major, there = found.primary.major, found.primary.roles
    wanted = tuple(
        role.name
        for role in accounts.needed(major)
        if new_passwords or role.name not in there or role.name in found.weak
    )
    made = {name: password.generated() for name in wanted}
    verifiers = {name: scram.verifier(connection, name, one) for name, one in made.items()}
    # By role alone: the file stays right when the two machines exchange their parts.
    entries = [Entry(host=passfile.ANY, user=name, password=one) for name, one in made.items()]
    if entries:
        passfile.write(secrets, entries)
    with (
        translated(ReplicationFailed, "the roles were not made"),
        connection,
        connection.cursor() as cursor,
    ):
        for one in accounts.statements(major, there, verifiers):
            cursor.execute(one)
    return wanted


def _settings(connection: Connection, connect: Reconnect, found: Plan) -> Path | None:
    if not found.settings:
        return None
    written = serverconf.apply(connection, CONF, found.settings, reconnect=connect)
    return written.file if written.changed else None


def _access(connection: Connection, connect: Reconnect, found: Plan) -> Path | None:
    if found.lets_in:
        return None
    return hba.apply(connection, found.access, reconnect=connect).file


def _attempt(failures: list[MigrationError], work: Callable[[], Path | None]) -> Path | None:
    """Do something that can be done by hand as well; note why it failed."""
    try:
        return work()
    except MigrationError as error:
        failures.append(error)
        return None
