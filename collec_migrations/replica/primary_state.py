"""Read a running primary: what counts is what runs, not what its files say."""

import shutil
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from psycopg2 import extensions

from collec_migrations.errors import ReplicationRefused
from collec_migrations.postgres import pg_versions
from collec_migrations.postgres.connection import Connection, first_line
from collec_migrations.postgres.queries import statement
from collec_migrations.replica import wal
from collec_migrations.replica.accounts import Rights

SETTINGS = (
    "wal_level",
    "max_wal_senders",
    "max_replication_slots",
    "hot_standby",
    "wal_log_hints",
    "data_checksums",
    "full_page_writes",
    "listen_addresses",
    "port",
    "password_encryption",
    "max_wal_size",
    "checkpoint_segments",
    "wal_keep_size",
    "wal_keep_segments",
    "max_slot_wal_keep_size",
    "ssl",
    "data_directory",
    "max_connections",
    "max_prepared_transactions",
    "max_locks_per_transaction",
    "max_worker_processes",
)
SIZES = (
    "max_wal_size",
    "checkpoint_segments",
    "wal_keep_size",
    "wal_keep_segments",
    "max_slot_wal_keep_size",
)


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
    told: str
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
        return {name: wal.size(one.value, one.unit) for name, one in found.items()}

    def value(self, name: str) -> str:
        """Return a running value; empty when there is none or this role may not see it."""
        return self.settings[name].value if name in self.settings else ""

    def number(self, name: str) -> int:
        """Return a running value that is a number."""
        return int(self.value(name) or 0)


def read(connection: Connection, *, roles: Sequence[str] = (), standby: str = "") -> Primary:
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
    in_recovery, told, senders, slots, databases, unmeasured, *rest = row
    tablespaces, address, started = rest
    data = settings.get("data_directory", Running(value="")).value
    here = _is_here(data, started)
    return Primary(
        version=connection.server_version,
        told=told,
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
    with suppress(OSError, ValueError, IndexError):
        lines = Path(data, "postmaster.pid").read_text("utf-8", "replace").splitlines()
        return bool(data) and abs(int(lines[2]) - started) <= 1
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
