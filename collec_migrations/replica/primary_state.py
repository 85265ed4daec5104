"""Read a running primary: its settings, its two roles, how much WAL it may keep."""

import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from psycopg2 import extensions

from collec_migrations.errors import ReplicationRefused
from collec_migrations.postgres import pg_versions, postmaster
from collec_migrations.postgres.connection import Connection, first_line
from collec_migrations.postgres.queries import statement
from collec_migrations.postgres.quoting import identifier, literal

REP = "rep"
REWIND = "rewind"
REWIND_GRANTS = (
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
)
"""What pg_rewind calls (its manual page); before 11 it needs a superuser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a role that exists may do."""

    login: bool
    replication: bool
    rewinds: bool
    """Whether it may read what pg_rewind reads."""
    scram: bool | None
    """Whether its password is kept as SCRAM; None when we may not see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role as it has to be."""

    name: str
    attributes: str
    why: str


def needed_roles(major: str) -> tuple[Role, ...]:
    """Return the roles that a replication needs on a major."""
    rights = "login" if pg_versions.holds("rewind_non_superuser", major) else "login superuser"
    roles = [Role(name=REP, attributes="login replication", why="standbys read the WAL as it")]
    if pg_versions.text("pg_rewind", major):
        why = "pg_rewind reads as it when an old primary comes back"
        roles.append(Role(name=REWIND, attributes=rights, why=why))
    return tuple(roles)


def missing_roles(major: str, there: Mapping[str, Rights]) -> tuple[Role, ...]:
    """Return the roles that are not there, or may not do what they are for."""
    return tuple(
        one for one in needed_roles(major) if one.name not in there or not _fit(one, there)
    )


def weak_roles(major: str, there: Mapping[str, Rights]) -> tuple[str, ...]:
    """Return the roles whose passwords are kept as MD5 where SCRAM is possible."""
    if pg_versions.text("hba_method", major) != "scram-sha-256":
        return ()
    return tuple(name for name, rights in there.items() if rights.scram is False)


def role_statements(
    major: str, there: Mapping[str, Rights], verifiers: Mapping[str, str]
) -> Iterator[str]:
    """Yield the statements that make the roles, or give them what they lack.

    `verifiers` holds, by role, what the server is to keep instead of a new password; nobody who
    reads it in the server's log can log in by it.
    """
    for role in missing_roles(major, there):
        verb = "alter" if role.name in there else "create"
        yield f"{verb} role {identifier(role.name)} with {role.attributes}"
    for name, verifier in verifiers.items():
        yield f"alter role {identifier(name)} with password {literal(verifier)}"
    if pg_versions.holds("rewind_non_superuser", major):
        for function in REWIND_GRANTS:
            yield f"grant execute on function pg_catalog.{function} to {identifier(REWIND)}"


def _fit(role: Role, there: Mapping[str, Rights]) -> bool:
    rights = there[role.name]
    return rights.login and (rights.replication if role.name == REP else rights.rewinds)


MB = 1 << 20
WAL_SEGMENT = 16 * MB
UNITS = {"B": 1, "kB": 1 << 10, "MB": MB, "GB": 1 << 30, "TB": 1 << 40}
CAP_LEAST = 512 * MB
"""For a standby that is away for a short while; as in the sequence that was tried (facts 4.4)."""
CAP_MOST = 64 << 30
CAP_UNKNOWN = 4096 * MB
"""When the free space is not known: what 256 segments of the former setting were (facts 1.2)."""


def setting_bytes(setting: str, unit: str) -> int:
    """Return the bytes of a setting of pg_settings, whose unit may be `8kB`; -1 stays -1."""
    number = int(setting)
    if number < 0 or not unit:
        return number
    base = unit.lstrip("0123456789")
    return number * int(unit[: -len(base)] or 1) * UNITS[base]


def most_wal(sizes: Mapping[str, int]) -> int:
    """Return `max_wal_size` in bytes; on 9.4 what `checkpoint_segments` comes to.

    `sizes` holds the settings by name, in bytes or as the number of segments.
    """
    if "checkpoint_segments" in sizes:
        # Manual of 9.4, 29.4: (2 + checkpoint_completion_target) * checkpoint_segments + 1.
        return (3 * sizes["checkpoint_segments"] + 1) * WAL_SEGMENT
    return sizes["max_wal_size"]


def kept_wal(sizes: Mapping[str, int]) -> int:
    """Return the bytes that are kept for standbys by number, whatever the major calls it."""
    return sizes.get("wal_keep_size", sizes.get("wal_keep_segments", 0) * WAL_SEGMENT)


def worst_wal(sizes: Mapping[str, int], cap: int) -> int:
    """Return what pg_wal may come to when a slot may keep `cap` bytes."""
    return most_wal(sizes) + max(kept_wal(sizes), cap)


def room_for_slots(sizes: Mapping[str, int], free: int) -> int:
    """Return the bytes that a slot may keep with this much free: it leaves half of it."""
    return free // 2 - most_wal(sizes)


def slot_cap(sizes: Mapping[str, int], free: int | None) -> int:
    """Return what to let a slot keep: whole multiples of 64 MB, at least 512 MB."""
    wanted = CAP_UNKNOWN if free is None else room_for_slots(sizes, free)
    wanted = max(CAP_LEAST, min(wanted, CAP_MOST))
    return wanted // (64 * MB) * (64 * MB)


def standby_bytes(databases: int, sizes: Mapping[str, int]) -> int:
    """Return the bytes that a standby needs: the data, and the WAL of the copy and after it."""
    return databases + most_wal(sizes) + kept_wal(sizes)


SETTINGS = (
    "wal_level", "max_wal_senders", "max_replication_slots", "hot_standby", "wal_log_hints",
    "data_checksums", "full_page_writes", "listen_addresses", "port", "password_encryption",
    "max_wal_size", "checkpoint_segments", "wal_keep_size", "wal_keep_segments",
    "max_slot_wal_keep_size", "ssl", "data_directory", "max_connections",
    "max_prepared_transactions", "max_locks_per_transaction", "max_worker_processes",
)  # fmt: skip
SIZES = (
    "max_wal_size", "checkpoint_segments", "wal_keep_size", "wal_keep_segments",
    "max_slot_wal_keep_size",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A setting that is in force."""

    value: str
    unit: str = ""
    restart: bool = False
    """Whether another value needs a restart."""
    pending: bool = False
    """Whether the files have another value already, which waits for a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Primary:
    """A server that is to have a standby."""

    version: int
    """server_version_num"""
    version_text: str
    """What `version()` says: release, system, architecture."""
    in_recovery: bool
    is_superuser: bool
    settings: Mapping[str, Running]
    senders: int
    slots: tuple[str, ...]
    databases: int
    """Bytes of all databases that this role may measure."""
    unmeasured: int = 0
    """Databases that it may not."""
    tablespaces: tuple[str, ...]
    """Those outside of the data folder."""
    address: str
    """Where we came in; empty for the socket."""
    started: int
    """When the server started, in seconds since 1970."""
    roles: Mapping[str, Rights] = field(default_factory=dict)
    """Of the roles asked for, those that exist."""
    free: int | None = None
    """Bytes free where the WAL is, with what it takes now; None: the disk is not of this host."""
    route: str = ""
    """Our own address on the way to the standby, when the server is on this machine."""

    @property
    def major(self) -> str:
        """The major, as the table of majors names it."""
        return pg_versions.of(self.version)

    @property
    def sizes(self) -> dict[str, int]:
        """Return the settings about the amount of WAL, in bytes or segments."""
        found = {name: self.settings[name] for name in SIZES if name in self.settings}
        return {name: setting_bytes(one.value, one.unit) for name, one in found.items()}

    def value(self, name: str) -> str:
        """Return a running value; empty when there is none or this role may not see it."""
        return self.settings[name].value if name in self.settings else ""

    def number(self, name: str) -> int:
        """Return a running value that is a number."""
        return int(self.value(name) or 0)


def read_primary(
    connection: Connection, *, roles: Sequence[str] = (), standby: str = ""
) -> Primary:
    """Return what a server is; `standby` is an address to find the way to, when we run beside it.

    Raises ReplicationRefused when a role may not even ask.
    """
    try:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute(statement("replica_primary_settings"), (list(SETTINGS),))
            settings = {
                name: Running(value=value, unit=unit, restart=restart, pending=pending)
                for name, value, unit, restart, pending in cursor.fetchall()
            }
            cursor.execute(statement("replica_primary"))
            row = cursor.fetchone()
            known = _roles(cursor, roles) if roles else {}
    except psycopg2.Error as error:
        raise ReplicationRefused(f"the server cannot be asked: {first_line(error)}") from error
    assert row is not None
    in_recovery, answer, senders, slots, databases, unmeasured, *rest = row
    tablespaces, address, started = rest
    data = settings.get("data_directory", Running(value="")).value
    here = _is_here(data, started)
    return Primary(
        version=connection.server_version,
        version_text=answer,
        in_recovery=in_recovery,
        is_superuser=connection.info.parameter_status("is_superuser") == "on",
        settings=settings,
        senders=senders,
        slots=tuple(slots),
        databases=databases,
        unmeasured=unmeasured,
        tablespaces=tuple(tablespaces),
        address=address or "",
        started=started,
        roles=known,
        free=_free(Path(data), pg_versions.of(connection.server_version)) if here else None,
        route=_route(standby) if here and standby else "",
    )


def _roles(cursor: extensions.cursor, names: Sequence[str]) -> dict[str, Rights]:
    cursor.execute(statement("replica_roles"), (list(names),))
    rows = cursor.fetchall()
    cursor.execute("select current_setting('is_superuser') = 'on'")
    ((may_see,),) = cursor.fetchall()
    scram: dict[str, bool] = {}
    if may_see:
        cursor.execute(
            "select rolname::text, rolpassword like 'SCRAM-%%' from pg_authid"
            " where rolname = any (%s)",
            (list(names),),
        )
        scram = {name: bool(kept) for name, kept in cursor.fetchall()}
    return {
        name: Rights(login=login, replication=more, rewinds=rewinds, scram=scram.get(name))
        for name, login, more, rewinds in rows
    }


def _is_here(data: str, started: int) -> bool:
    """Tell whether a server's data folder is on this machine: its own file says when it started."""
    with suppress(OSError):
        found = postmaster.recorded(Path(data)) if data else None
        return found is not None and abs(found.began - started) <= 1
    return False


def _free(data: Path, major: str) -> int | None:
    folder = data / (pg_versions.text("wal_dir", major) or "")
    with suppress(OSError):
        taken = sum(one.stat().st_size for one in folder.iterdir() if one.is_file())
        return shutil.disk_usage(folder).free + taken
    return None


def _route(standby: str) -> str:
    """Return our address on the way to another one; nothing is sent."""
    with suppress(OSError):
        family, kind, number, _, where = socket.getaddrinfo(standby, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, number) as probe:
            probe.connect(where)
            return str(probe.getsockname()[0])
    return ""
