"""Find a program that already manages this replication: then our commands only read.

Patroni, repmgr and pg_auto_failover start, stop and promote servers on their own; two masters of
one replication lose data. Signs as in the source of these programs (facts 3).
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from psycopg2 import extensions

from collec_migrations.errors import ManagedElsewhere
from collec_migrations.postgres import postmaster
from collec_migrations.postgres.connection import Connection
from collec_migrations.postgres.queries import statement

PATRONI_PORT = 8008
PATIENCE = 1.0
IN_DATA = {
    "patroni.dynamic.json": "Patroni",
    "postgresql.base.conf": "Patroni",
    "pg_autoctl.pid": "pg_auto_failover",
    "postgresql-auto-failover.conf": "pg_auto_failover",
    "postgresql-auto-failover-standby.conf": "pg_auto_failover",
}
STARTERS = {b"patroni": "Patroni", b"pg_autoctl": "pg_auto_failover", b"repmgrd": "repmgr"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """A program that manages a replication, and the sign by which it was found."""

    name: str
    sign: str


def on_server(connection: Connection) -> tuple[Manager, ...]:
    """Return what is found on a server, in the database of the connection and in its folder.

    The folder is looked into by superusers alone; others are told less.
    """
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("foreign_managers"))
        found = [Manager(name=name, sign=sign) for name, sign in cursor.fetchall()]
        if connection.info.parameter_status("is_superuser") == "on":
            cursor.execute("select pg_ls_dir('.')")
            names = {str(name) for (name,) in cursor.fetchall()}
            found += [
                Manager(name=IN_DATA[name], sign=f"{name} in the data folder")
                for name in IN_DATA
                if name in names
            ]
    return tuple(found)


def in_folder(data: Path) -> tuple[Manager, ...]:
    """Return what is found in a data folder of this machine, and by what its server was started."""
    return (*_files(data), *_starter(data))


def by_rest(host: str, port: int = PATRONI_PORT) -> tuple[Manager, ...]:
    """Return Patroni when it answers on a host: it is asked, for a second at most."""
    # Only here: it costs as much as all the rest of the room.
    from urllib.request import ProxyHandler, build_opener

    if not host or host.startswith("/"):
        host = "localhost"
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with suppress(OSError, ValueError):  # nobody there, or somebody else
        # Not by a proxy of the environment: the answer has to be the host's own.
        opener = build_opener(ProxyHandler({}))
        with opener.open(f"http://{where}/patroni", timeout=PATIENCE) as answer:
            told = json.loads(answer.read(65536))
        if isinstance(told, dict) and "patroni" in told:
            return (Manager(name="Patroni", sign=f"its answer at {where}"),)
    return ()


def refuse(found: Sequence[Manager], *, where: str) -> None:
    """Raise ManagedElsewhere when there is a manager."""
    if found:
        names = " and ".join(dict.fromkeys(one.name for one in found))
        signs = "; ".join(one.sign for one in found)
        raise ManagedElsewhere(
            f"{names} is in charge of {where}: {signs}",
            hint=f"Use the commands of {names}. `replica status` still reads.",
        )


def _files(data: Path) -> Iterator[Manager]:
    for name, manager in IN_DATA.items():
        if os.path.lexists(data / name):
            yield Manager(name=manager, sign=str(data / name))
    # pg_autoctl keeps its process id below the runtime folder, under the path of the data.
    for base in (os.environ.get("XDG_RUNTIME_DIR"), "/tmp"):
        if base and os.path.lexists(
            beside := Path(f"{base}/pg_autoctl{data.absolute()}/pg_autoctl.pid")
        ):
            yield Manager(name="pg_auto_failover", sign=str(beside))


def _starter(data: Path) -> Iterator[Manager]:
    """Yield the manager whose child the running server is."""
    server = postmaster.running(data)
    if server is None:
        return
    with suppress(OSError, IndexError, ValueError):
        status = Path(f"/proc/{server.pid}/stat").read_text(errors="replace").rpartition(")")[2]
        parent = int(status.split()[1])
        words = Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0")[:2]
        for program, manager in STARTERS.items():
            if any(Path(os.fsdecode(word)).name.encode().startswith(program) for word in words):
                yield Manager(name=manager, sign=f"process {parent}, which started the server")
