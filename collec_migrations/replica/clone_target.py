"""What is where a clone is to be: read, and nothing touched."""

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import pg_versions, postmaster
from collec_migrations.replica import managers, owned
from collec_migrations.replica.machine import Node
from collec_migrations.replica.managers import Manager


class Kind(Enum):
    """What is at a path."""

    ABSENT = "nothing"
    EMPTY = "an empty folder"
    CLUSTER = "a data folder"
    OTHER = "something else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The place of a clone."""

    data: Path
    kind: Kind
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


def read(node: Node) -> Target:
    """Return what is at the folder of a node that is to be made."""
    data, parent = node.data, node.data.parent
    if not parent.is_dir():
        return Target(data=data, kind=Kind.ABSENT, parent_is_there=False)
    server = postmaster.running(data)
    kind = _kind(data)
    return Target(
        data=data,
        kind=kind,
        system=system_of(node) if kind is Kind.CLUSTER else "",
        slot=_slot(node) if kind is Kind.CLUSTER else "",
        running=server is not None,
        started=_started(data) if server else None,
        port=server.port if server else None,
        is_mount=data.is_mount(),
        writable=os.access(parent, os.W_OK | os.X_OK),
        reachable=node.account.is_caller or node.account.reaches(parent),
        account=node.account.name,
        debian=node.debian.shown if node.debian else "",
        free=shutil.disk_usage(parent).free,
        managers=managers.in_folder(data),
    )


def system_of(node: Node) -> str:
    """Return the system identifier of a data folder; nothing when it cannot be read."""
    with suppress(ServerFailed):
        told = node.run("pg_controldata", node.data)
        found = re.search(r"^Database system identifier:\s*(\d+)$", told, re.MULTILINE)
        return found[1] if found else ""
    return ""


def _kind(data: Path) -> Kind:
    if not os.path.lexists(data):
        return Kind.ABSENT
    if not data.is_dir():
        return Kind.OTHER
    if not any(data.iterdir()):
        return Kind.EMPTY
    is_cluster = (data / "PG_VERSION").is_file() and (data / "global").is_dir()
    return Kind.CLUSTER if is_cluster else Kind.OTHER


def _slot(node: Node) -> str:
    where = pg_versions.text("recovery_settings_file", node.major) or ""
    text = owned.read(node.data / where, node.account)
    found = re.findall(r"^\s*primary_slot_name\s*=?\s*'(\w*)'", text, re.MULTILINE | re.IGNORECASE)
    return found[-1] if found else ""


def _started(data: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int((data / "postmaster.pid").read_text("utf-8", "replace").splitlines()[2])
    return None
