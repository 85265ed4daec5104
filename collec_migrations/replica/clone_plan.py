"""Read all that a clone depends on and decide whether it can be made: all obstacles at once."""

import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from psycopg2 import extensions

from collec_migrations.errors import Problem, ServerFailed
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import pg_versions, postmaster
from collec_migrations.postgres.connection import Connection
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.programs import Account
from collec_migrations.postgres.sizes import shown
from collec_migrations.replica import local_node, managers, primary_state, standby_config, streaming
from collec_migrations.replica.local_node import LocalNode
from collec_migrations.replica.managers import Manager
from collec_migrations.replica.primary import FOR_ONE, LEVELS
from collec_migrations.replica.primary_state import Primary
from collec_migrations.replica.standby_config import StandbySpec, Upstream


class TargetKind(Enum):
    """What is at a path."""

    ABSENT = "nothing"
    EMPTY = "an empty folder"
    CLUSTER = "a data folder"
    OTHER = "something else"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneTarget:
    """The place of a clone."""

    data: Path
    kind: TargetKind
    system: str = ""
    """The system identifier of a data folder."""
    slot: str = ""
    """The slot that a standby there used."""
    running: bool = False
    started: int | None = None
    """When the server that runs there started, in seconds since 1970."""
    port: int | None = None
    is_mount: bool = False
    parent_is_there: bool = True
    writable: bool = True
    """Whether we may make and rename folders there."""
    reachable: bool = True
    """Whether the server's account comes as far as the parent."""
    account: str = ""
    debian: str = ""
    """The cluster of Debian that the folder belongs to, as `15/main`."""
    free: int = 0
    managers: tuple[Manager, ...] = ()


def read_target(node: LocalNode) -> CloneTarget:
    """Return what is at the folder of a node that is to be made."""
    data, parent = node.data, node.data.parent
    if not parent.is_dir():
        return CloneTarget(data=data, kind=TargetKind.ABSENT, parent_is_there=False)
    server = postmaster.running(data)
    kind = _kind(data)
    return CloneTarget(
        data=data,
        kind=kind,
        system=system_of(node) if kind is TargetKind.CLUSTER else "",
        slot=_former_slot(node) if kind is TargetKind.CLUSTER else "",
        running=server is not None,
        started=server.began if server else None,
        port=server.port if server else None,
        is_mount=data.is_mount(),
        writable=os.access(parent, os.W_OK | os.X_OK),
        reachable=node.account.is_caller or node.account.reaches(parent),
        account=node.account.name,
        debian=node.debian.shown if node.debian else "",
        free=shutil.disk_usage(parent).free,
        managers=managers.in_folder(data),
    )


def system_of(node: LocalNode) -> str:
    """Return the system identifier of a data folder; nothing when it cannot be read."""
    with suppress(ServerFailed):
        answer = node.run("pg_controldata", node.data)
        found = re.search(r"^Database system identifier:\s*(\d+)$", answer, re.MULTILINE)
        return found[1] if found else ""
    return ""


def _kind(data: Path) -> TargetKind:
    if not os.path.lexists(data):
        return TargetKind.ABSENT
    if not data.is_dir():
        return TargetKind.OTHER
    if not any(data.iterdir()):
        return TargetKind.EMPTY
    is_cluster = (data / "PG_VERSION").is_file() and (data / "global").is_dir()
    return TargetKind.CLUSTER if is_cluster else TargetKind.OTHER


def _former_slot(node: LocalNode) -> str:
    where = pg_versions.text("recovery_settings_file", node.major) or ""
    text = standby_config.read_owned(node.data / where, node.account)
    found = re.findall(r"^\s*primary_slot_name\s*=?\s*'(\w*)'", text, re.MULTILINE | re.IGNORECASE)
    return found[-1] if found else ""


SAME = {"amd64": "x86_64", "arm64": "aarch64"}
SYSTEMS = ("linux", "darwin", "freebsd", "openbsd", "netbsd", "solaris", "mingw", "visual")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """This machine, as Python tells it, and the programs of PostgreSQL on it."""

    system: str
    architecture: str
    version: str
    """Of the programs, such as `15.20`."""


Obstacles: TypeAlias = Iterator[Problem]


def clone_obstacles(
    spec: StandbySpec, primary: Primary, system: str, target: CloneTarget, machine: Machine
) -> tuple[Problem, ...]:
    """Return what blocks a clone; `system` is the primary's system identifier."""
    return (
        *_primary(primary),
        *_machine(primary, machine),
        *_place(target),
        *_contents(spec, primary, system, target),
        *_slot(spec, primary, target),
        *_space(primary, target),
    )


def clone_notes(primary: Primary, target: CloneTarget, machine: Machine) -> tuple[str, ...]:
    """Return what is to be known, and is no obstacle."""
    found = []
    running = re.match(r"PostgreSQL (\S+)", primary.version_text)
    if running and _minor(machine.version) < _minor(running[1]):
        found.append(
            f"this machine has PostgreSQL {machine.version}, older than the primary's {running[1]}:"
            " install the same minor release"
        )
    if pg_versions.text("verifybackup", primary.major) is None:
        found.append(f"PostgreSQL {primary.major} has no pg_verifybackup: the copy is not verified")
    if primary.unmeasured:
        found.append(
            f"{primary.unmeasured} databases may not be measured by this role: the standby needs"
            " more room than is counted"
        )
    if re.search(r"\((Debian|Ubuntu)", primary.version_text) and not target.debian:
        found.append(
            "a primary of Debian keeps its configuration in /etc: then make a cluster here first,"
            f" pg_createcluster {primary.major} main -d {target.data}, and clone with --force"
        )
    if target.kind is TargetKind.CLUSTER:
        found.append(f"{target.data} holds a cluster: it is moved aside, not deleted")
    return tuple(found)


def _primary(primary: Primary) -> Obstacles:
    if primary.in_recovery:
        yield Problem(
            message="the server is a standby itself",
            hint="Give the address of its primary: standbys of standbys are not handled.",
        )
    if primary.value("wal_level") not in LEVELS:
        level = primary.value("wal_level")
        yield Problem(message=f"wal_level of the primary is {level}", hint=PREPARE)
    # A role without pg_monitor sees how many senders there are.
    free = primary.number("max_wal_senders") - primary.senders
    if free < FOR_ONE:
        yield Problem(
            message=f"the primary has {max(free, 0)} of {FOR_ONE} senders free (max_wal_senders)",
            hint=PREPARE,
        )
    if primary.number("max_replication_slots") <= len(primary.slots):
        yield Problem(message="the primary has no slot free (max_replication_slots)", hint=PREPARE)
    if primary.tablespaces:
        yield Problem(
            message=f"the primary has tablespaces: {', '.join(primary.tablespaces)}",
            hint="They are not handled: clone by pg_basebackup with --tablespace-mapping.",
        )


def _machine(primary: Primary, machine: Machine) -> Obstacles:
    found = re.search(r" on ([^ ,]+)", primary.version_text)
    platform = found[1].lower() if found else ""
    architecture = platform.partition("-")[0]
    architecture = SAME.get(architecture, architecture)
    here = SAME.get(machine.architecture.lower(), machine.architecture.lower())
    if architecture and architecture != here:
        yield Problem(
            message=f"the primary runs on {architecture}, this machine is {here}",
            hint="A standby needs the same architecture: use a machine like the primary's.",
        )
    system = next((one for one in SYSTEMS if one in platform), "")
    if system and system not in machine.system.lower():
        yield Problem(
            message=f"the primary runs on {system}, this machine on {machine.system}",
            hint="A standby needs the same operating system: texts would be sorted differently.",
        )


def _place(target: CloneTarget) -> Obstacles:
    if not target.parent_is_there:
        yield Problem(
            message=f"{target.data.parent} is not there",
            hint="Make it, for the account of the server.",
        )
    elif not target.writable:
        yield Problem(
            message=f"you may not make a folder in {target.data.parent}",
            hint="Run this as root or as the account of the server, or name another folder.",
        )
    if target.is_mount:
        yield Problem(
            message=f"{target.data} is the root of a file system, which cannot be renamed",
            hint=f"Give a folder below it, such as {target.data / 'data'}.",
        )
    if not target.reachable:
        yield Problem(
            message=f"{target.account}, who runs the server, cannot reach {target.data.parent}",
            hint="Let that account pass through the folders above.",
        )


def owns_slot(spec: StandbySpec, primary: Primary, target: CloneTarget) -> bool:
    """Tell whether the slot that is there belongs to the stopped standby that is replaced."""
    return spec.slot in primary.slots and spec.slot == target.slot and not target.running


def _slot(spec: StandbySpec, primary: Primary, target: CloneTarget) -> Obstacles:
    if spec.slot in primary.slots and not owns_slot(spec, primary, target):
        refusal = streaming.slot_taken(spec.slot)
        yield Problem(message=str(refusal), hint=refusal.hint)


def _contents(spec: StandbySpec, primary: Primary, system: str, target: CloneTarget) -> Obstacles:
    if target.running:
        yield _server_runs(spec, primary, target)
    elif target.kind is TargetKind.OTHER:
        yield Problem(
            message=f"{target.data} is not empty, and no data folder of PostgreSQL",
            hint="Give another folder, or move away what is in it.",
        )
    elif target.kind is TargetKind.CLUSTER and target.system != system and not spec.replace:
        yield Problem(
            message=f"{target.data} holds the cluster of another system ({target.system or '?'})",
            hint="Give another folder. --force moves that cluster aside; it is not deleted.",
        )


def _server_runs(spec: StandbySpec, primary: Primary, target: CloneTarget) -> Problem:
    same = target.started is not None and abs(target.started - primary.started) <= 1
    if same and target.port == int(primary.value("port") or spec.port):
        return Problem(
            message=f"{target.data} is the primary itself, which runs there",
            hint="Run this on the standby's machine, with the primary's own address.",
        )
    return Problem(
        message=f"a server runs on {target.data}",
        hint="Stop it first; its folder is then moved aside, not deleted.",
    )


def _space(primary: Primary, target: CloneTarget) -> Obstacles:
    needed = primary_state.standby_bytes(primary.databases, primary.sizes)
    if target.parent_is_there and target.free < needed:
        yield Problem(
            message=f"{target.data.parent} has {shown(target.free)} free, and a standby needs"
            f" {shown(needed)}",
            hint=f"{shown(primary.databases)} are the databases, the rest is for WAL. Make room.",
        )


PREPARE = "Run `collec-migrations replica primary ADDRESS` on the primary's machine."


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


LIBC_VERSIONS = """
select distinct datcollversion from pg_database
where datlocprovider = 'c' and datcollversion is not null
"""


def primary_collations(connection: Connection) -> tuple[str, ...]:
    """Return the versions of the C library by which a primary sorts; none before 15, or for C."""
    if not pg_versions.server_has(connection.server_version, "collation_versions"):
        return ()
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(LIBC_VERSIONS)
        return tuple(str(version) for (version,) in cursor.fetchall())


def machine_collation() -> str:
    """Return the version of this machine's C library; nothing when it does not tell (musl)."""
    with suppress(ValueError, OSError):
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").rpartition(" ")[2]
    return ""


def collation_notes(primary: tuple[str, ...], machine: str) -> tuple[str, ...]:
    """Return what is to be known when they differ. Pure."""
    if not machine or not primary or primary == (machine,):
        return ()
    return (
        f"the primary sorts texts by version {', '.join(primary)} of the C library, this machine"
        f" has {machine}: queries on the standby may miss rows; use the same system release",
    )


PATIENT = """
select set_config(name, '0', false) from pg_settings
where name in ('statement_timeout', 'lock_timeout', 'idle_session_timeout')
"""
"""The session waits for the end of the copy, whatever the site allows its users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClonePlan:
    """What is known before anything is touched."""

    spec: StandbySpec
    primary: Primary
    system: str
    timeline: int
    node: LocalNode
    target: CloneTarget
    upstream: Upstream
    obstacles: tuple[Problem, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The way to the primary, by the password file that the standby will use."""

    connection: Connection
    """In autocommit."""
    address: Address
    account: Account


@contextmanager
def connected(spec: StandbySpec) -> Iterator[Source]:
    """Give the way to the primary; raise UsageError (password file) or ConnectionFailed."""
    account = local_node.owner_of(spec.data)
    address = spec.address(standby_config.password_of(spec, account))
    with closing(database.connect(address)) as connection:
        connection.autocommit = True
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute(PATIENT)
        yield Source(connection=connection, address=address, account=account)


def read_plan(source: Source, spec: StandbySpec) -> ClonePlan:
    """Return all that is known of a clone.

    Raises ManagedElsewhere when another program is in charge of the primary or the folder, and
    ServerFailed or ReplicationRefused when this machine lacks the primary's major.
    """
    managers.refuse(managers.on_server(source.connection), where=spec.shown)
    managers.refuse(managers.by_rest(spec.host), where=spec.shown)
    primary = primary_state.read_primary(source.connection)
    node = local_node.node_at(spec.data, primary.major, bin_dir=spec.bin_dir)
    target = read_target(node)
    managers.refuse(target.managers, where=str(spec.data))
    with closing(database.connect_for_replication(source.address)) as session:
        system, timeline = _identified(session)
    here = Machine(
        system=platform.system(),
        architecture=platform.machine(),
        version=node.binaries.version,
    )
    obstacles = clone_obstacles(spec, primary, system, target, here)
    return ClonePlan(
        spec=spec,
        primary=primary,
        system=system,
        timeline=timeline,
        node=node,
        target=target,
        upstream=spec.upstream(standby_config.passfile_of(spec, source.account)),
        obstacles=obstacles,
        notes=(
            *clone_notes(primary, target, here),
            *collation_notes(primary_collations(source.connection), machine_collation()),
        ),
    )


def _identified(session: Connection) -> tuple[str, int]:
    """Return system identifier and timeline of a server."""
    with session.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute("IDENTIFY_SYSTEM")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0]), int(row[1])
