"""Prepare a running primary for a standby: show all that is missing, write it when asked to."""

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import (
    ConfigurationDenied,
    ConfigurationElsewhere,
    MigrationError,
    Problem,
    ReplicationFailed,
    ReplicationRefused,
    UsageError,
)
from collec_migrations.postgres import configuration, hba, password, pg_versions
from collec_migrations.postgres import server_settings as serverconf
from collec_migrations.postgres.configuration import Block, Reconnect
from collec_migrations.postgres.connection import Connection, translated
from collec_migrations.postgres.password import PassfileEntry
from collec_migrations.postgres.sizes import shown
from collec_migrations.replica import managers, primary_state
from collec_migrations.replica.primary_state import REP, REWIND, Primary, Role
from collec_migrations.replica.standby_config import DATABASE

ENOUGH = 10
"""Senders and slots by default since 10; cheap, and a change needs a restart."""
FOR_ONE = 3
"""A base backup takes two senders, a standby one (manual, pg_basebackup)."""
KEPT = "64MB"
"""Beside a slot; what an old primary needs to come back before its own slot exists."""
KEPT_SEGMENTS = "4"
KEPT_WITHOUT_SLOT = "256"
"""9.4 and 9.5 cannot reserve WAL in a slot before its first use: 4 GB of segments."""
LEVELS = ("replica", "hot_standby", "logical")
"""With which the WAL holds enough; `hot_standby` is the name up to 9.5."""
EVERYWHERE = ("*", "0.0.0.0", "::")
Lacks = Iterator[tuple[Problem, str]]


Wanted = dict[str, str]
"""Settings, and the values that they should have."""


def missing(primary: Primary, standby: str) -> tuple[tuple[Problem, ...], Wanted]:
    """Return what a primary lacks for a standby at an address, and the settings that fix it."""
    found = (
        *_wal(primary),
        *_listening(primary, standby),
        *_rewinding(primary),
        *_keeping(primary),
        *_space(primary),
    )
    settings = {one.code: value for one, value in found if value}
    return tuple(one for one, _ in found), settings


def primary_notes(primary: Primary, standby: str) -> tuple[str, ...]:
    """Return what is to be known, and is no obstacle."""
    found = []
    if primary.free is None:
        found.append("the free space was not checked: the server's disk is not of this machine")
    if not is_loopback(standby) and primary.value("ssl") != "on":
        found.append("ssl is off: all data travel in clear between the two machines")
    found += [
        f"{name} has another value in the files, which waits for a restart (running: {one.value})"
        for name, one in primary.settings.items()
        if one.pending
    ]
    if pg_versions.text("slot_cap_guc", primary.major) is None:
        found.append(
            f"PostgreSQL {primary.major} cannot limit what a slot keeps: drop the slot of a"
            " standby that stays away, or the disk fills"
        )
    return tuple(found)


def _lack(name: str, state: str, why: str, value: str) -> tuple[Problem, str]:
    """Return a problem with a setting, and the value that fixes it; empty: none does."""
    hint = f"Set {name} = {value}." if value else f"Add the server's own address to {name}."
    return Problem(code=name, message=f"{name} is {state}: {why}", hint=hint), value


def _wal(primary: Primary) -> Lacks:
    level = primary.value("wal_level")
    if level not in LEVELS:
        why = "the WAL does not hold what a standby needs to answer queries"
        value = pg_versions.text("wal_level_standby", primary.major) or ""
        yield _lack("wal_level", level, why, value)
    used = {"max_wal_senders": primary.senders, "max_replication_slots": len(primary.slots)}
    whys = ("cloning takes two senders and a standby one",
            "a standby has a slot, so that the WAL it still needs is kept")  # fmt: skip
    for (name, in_use), spare, why in zip(used.items(), (FOR_ONE, 1), whys, strict=True):
        if primary.number(name) < in_use + spare:
            state = f"{primary.value(name)}, of which {in_use} are in use"
            yield _lack(name, state, why, str(max(ENOUGH, in_use + spare)))


def _listening(primary: Primary, standby: str) -> Lacks:
    name = "listen_addresses"
    listens = [word.strip() for word in primary.value(name).split(",") if word.strip()]
    near = is_loopback(standby)
    if any(word in EVERYWHERE or near or not is_loopback(word) for word in listens):
        return
    # One address more, not all of them.
    more = [] if primary.route in ("", *listens) else [primary.route]
    why = f"the server cannot be reached from {standby}"
    yield _lack(
        name, primary.value(name) or "empty", why, ", ".join((*listens, *more)) if more else ""
    )


def _rewinding(primary: Primary) -> Lacks:
    if pg_versions.text("pg_rewind", primary.major) is not None:
        if "on" not in (primary.value("data_checksums"), primary.value("wal_log_hints")):
            state = "off and the data have no checksums"
            why = "after a failover pg_rewind could not bring this server back as a standby"
            yield _lack("wal_log_hints", state, why, "on")
        if primary.value("full_page_writes") != "on":
            why = "a crash can damage the data, and pg_rewind needs it"
            yield _lack("full_page_writes", "off", why, "on")
    if primary.value("hot_standby") != "on":  # in force on the standby, which is started with it
        yield _lack("hot_standby", "off", "the standby would refuse every query", "on")


def _keeping(primary: Primary) -> Lacks:
    name = pg_versions.text("wal_keep_guc", primary.major) or ""
    if pg_versions.text("bb_slot", primary.major) is None:
        value, why = KEPT_WITHOUT_SLOT, "a slot keeps WAL only once its standby has begun to read"
    else:
        value = KEPT if name == "wal_keep_size" else KEPT_SEGMENTS
        why = "after a failover the old primary needs a little WAL from before its slot exists"
    if primary_state.kept_wal(primary.sizes) == 0:
        yield _lack(name, "0", why, value)
    cap = pg_versions.text("slot_cap_guc", primary.major)
    if cap and primary.number(cap) < 0:
        megabytes = primary_state.slot_cap(primary.sizes, primary.free) // primary_state.MB
        why = "the slot of a standby that stays away would fill the disk of the primary"
        yield _lack(cap, "-1", why, f"{megabytes}MB")
    method, encryption = pg_versions.text("hba_method", primary.major), "password_encryption"
    if method == "scram-sha-256" and primary.value(encryption) != method:
        why = "passwords that are set later would be kept as MD5, which is easy to break"
        yield _lack(encryption, primary.value(encryption), why, method)


def _space(primary: Primary) -> Lacks:
    if primary.free is None:
        return
    name = pg_versions.text("slot_cap_guc", primary.major)
    cap = primary.sizes[name] if name else 0
    cap = primary_state.slot_cap(primary.sizes, primary.free) if name and cap < 0 else cap
    worst = primary_state.worst_wal(primary.sizes, cap)
    if worst > primary.free:
        yield (
            Problem(
                message=f"the WAL may come to {shown(worst)}, and there is room for "
                f"{shown(primary.free)}: a full disk stops the primary",
                hint="Make room, or lower max_wal_size" + (f" or {name}." if name else "."),
            ),
            "",
        )


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine itself."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def access_block(standby: str, major: str, *, encrypted: bool) -> Block:
    """Return the lines for a standby at one address; `encrypted` allows TLS alone. Pure.

    Besides the WAL the two roles read in one database: what to check, what to rewind.
    """
    kind = "hostssl" if encrypted else "host"
    method = pg_versions.text("hba_method", major)
    where = standby_network(standby)
    names = ",".join(
        configuration.quoted_name(role.name) for role in primary_state.needed_roles(major)
    )
    lines = (
        f"{kind} replication {configuration.quoted_name(REP)} {where} {method}",
        f"{kind} {DATABASE} {names} {where} {method}",
    )
    return Block(name=f"standby {standby}", lines=lines)


def standby_network(standby: str) -> str:
    """Return the one address as pg_hba.conf takes it; a name stays a name."""
    with suppress(ValueError):
        found = ipaddress.ip_network(standby)
        if found.num_addresses == 1:
            return str(found)
    if "/" in standby or not standby or any(c.isspace() or c in ',"#' for c in standby):
        raise UsageError(
            f"{standby!r} is not one address",
            hint="Give the IP address from which the standby will come, or its name.",
        )
    return standby


def is_let_in(connection: Connection, block: Block) -> bool | None:
    """Tell whether the lines stand where they decide; None when the file is not here."""
    try:
        path = configuration.local(connection, configuration.path(connection, "hba_file"))
    except (ConfigurationElsewhere, ConfigurationDenied):
        return None
    return block.is_first_in(configuration.decoded(path.read_bytes()))


CONF = "collec-standby"
"""The name of our file in conf.d, or of our block in postgresql.conf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryPlan:
    """What a primary lacks for a standby."""

    primary: Primary
    standby: str
    findings: tuple[Problem, ...]
    """What is wrong with a setting has its name as the code."""
    settings: Wanted
    """Those that are to be written."""
    roles: tuple[Role, ...]
    """Those that are not there, or may not do what they are for."""
    weak: tuple[str, ...]
    """Roles whose password is kept as MD5."""
    access: Block
    lets_in: bool | None
    """Whether pg_hba.conf lets the standby in; None when it cannot be read."""
    notes: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        """Tell whether nothing is missing; access that cannot be read is not known to be."""
        return not (self.findings or self.roles or self.weak) and self.lets_in is not False

    @property
    def restart(self) -> tuple[str, ...]:
        """Return the settings that are in force only after a restart."""
        known = self.primary.settings
        return tuple(name for name in self.settings if name in known and known[name].restart)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryResult:
    """What was written."""

    passwords: tuple[str, ...]
    """Roles that have a new password, which is in the password file."""
    settings: Path | None
    access: Path | None
    failures: tuple[MigrationError, ...]
    """What has to be done by hand; the hint holds the text."""
    after: PrimaryPlan
    """What is still missing: what waits for a restart, and what no setting fixes."""


def plan_primary(connect: Reconnect, standby: str, secrets: Path | None = None) -> PrimaryPlan:
    """Return what is missing for a standby at an address; touches nothing.

    `connect` opens a session on the primary; `secrets` is the password file, to say what it lacks.
    Raises ManagedElsewhere, ConnectionFailed, ReplicationRefused (a standby; a role that may not
    see the settings).
    """
    standby_network(standby)  # refuses what is not one address
    with closing(connect()) as connection:
        connection.autocommit = True
        return _read(connection, standby, secrets)


def prepare_primary(
    connect: Reconnect,
    standby: str,
    secrets: Path,
    *,
    new_passwords: bool,
    say: Callable[[str], None],
) -> PrimaryResult:
    """Write what is missing: roles, settings, access; nothing is restarted.

    New passwords are random, kept in the file `secrets` (0600) before the server has
    their verifiers, and sent to nobody.
    """
    found = plan_primary(connect, standby, secrets)
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
    return PrimaryResult(
        passwords=passwords,
        settings=settings,
        access=access,
        failures=tuple(failures),
        after=plan_primary(connect, standby, secrets),
    )


def _read(connection: Connection, standby: str, secrets: Path | None) -> PrimaryPlan:
    managers.refuse(managers.on_server(connection), where="this server")
    managers.refuse(managers.by_rest(connection.info.host or ""), where="this server")
    state = primary_state.read_primary(connection, roles=(REP, REWIND), standby=standby)
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
    encrypted = state.value("ssl") == "on" and not is_loopback(standby)
    access = access_block(standby, state.major, encrypted=encrypted)
    lets_in = is_let_in(connection, access)
    notes = primary_notes(state, standby)
    if lets_in is None:
        notes += ("pg_hba.conf was not checked: it cannot be read from here",)
    if secrets:
        notes += _missing_passwords(state, secrets)
    findings, settings = missing(state, standby)
    return PrimaryPlan(
        primary=state,
        standby=standby,
        findings=findings,
        settings=settings,
        roles=primary_state.missing_roles(state.major, state.roles),
        weak=primary_state.weak_roles(state.major, state.roles),
        access=access,
        lets_in=lets_in,
        notes=notes,
    )


def _missing_passwords(state: Primary, secrets: Path) -> tuple[str, ...]:
    """Return which lines the password file lacks for roles that are there already.

    Their passwords cannot be read from the server, and are not changed unless that is asked for.
    """
    text = password.read_passfile(secrets)
    return tuple(
        f"{secrets} has no line for the role {name}, which is there already: add"
        f" *:*:*:{name}:PASSWORD, or give it a new password with --new-passwords"
        for name in state.roles
        if not any(line.split(":")[3:4] == [name] for line in text.splitlines())
    )


def _roles(
    connection: Connection, found: PrimaryPlan, secrets: Path, *, new_passwords: bool
) -> tuple[str, ...]:
    """Make the roles; return those that have a new password."""
    major, there = found.primary.major, found.primary.roles
    wanted = tuple(
        role.name
        for role in primary_state.needed_roles(major)
        if new_passwords or role.name not in there or role.name in found.weak
    )
    made = {name: password.generated() for name in wanted}
    verifiers = {name: password.verifier(connection, name, one) for name, one in made.items()}
    # By role alone: the file stays right when the two machines exchange their parts.
    entries = [
        PassfileEntry(host=password.ANY, user=name, password=one) for name, one in made.items()
    ]
    if entries:
        password.write_passfile(secrets, entries)
    with (
        translated(ReplicationFailed, "the roles were not made"),
        connection,
        connection.cursor() as cursor,
    ):
        for one in primary_state.role_statements(major, there, verifiers):
            cursor.execute(one)
    return wanted


def _settings(connection: Connection, connect: Reconnect, found: PrimaryPlan) -> Path | None:
    if not found.settings:
        return None
    written = serverconf.apply(connection, CONF, found.settings, reconnect=connect)
    return written.file if written.changed else None


def _access(connection: Connection, connect: Reconnect, found: PrimaryPlan) -> Path | None:
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
