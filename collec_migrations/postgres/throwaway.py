"""A server for a test or a rehearsal: gone with us, also when killed, or kept until it is ended."""

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import binaries as postgres_binaries
from collec_migrations.postgres import cluster, files, programs
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.cluster import Cluster
from collec_migrations.postgres.programs import Account

FAST: Mapping[str, str] = MappingProxyType(
    {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
)
"""For a server whose data nobody needs after a crash."""

SUPERUSER = "throwaway"
"""No site has a role of this name: what a dump names is then never there by chance."""

# The shell waits until we close the pipe or die. Words: log, folder, socket's folder, command.
GUARDED = """
log=$0 home=$1 socket=$2; shift 2
"$@" </dev/null >>"$log" 2>&1 &
echo $!
exec >&-
read -r _
kill -QUIT $!
wait $!
rm -rf -- "$home" "$socket"
"""


@contextmanager
def throwaway(
    binaries: Binaries,
    *,
    folder: Path | None = None,
    settings: Mapping[str, str] = FAST,
    tcp: bool = False,
    superuser: str = SUPERUSER,
) -> Iterator[Address]:
    """Give a new server in a folder of its own; `tcp` adds 127.0.0.1, for roles with a password."""
    who = programs.server_account()
    home, descriptor = new_home(folder, who)
    reachable = postgres_binaries.reachable(binaries, who)
    made = Cluster(home=home, binaries=reachable, account=who, superuser=superuser)
    try:
        cluster.make(made, "--no-sync")
        if tcp:
            command = cluster.command_with_tcp(made, _free_port(), settings)
        else:
            command = cluster.command(made, settings)
        with _running(made, command) as address:
            yield address
    finally:
        shutil.rmtree(home, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def _running(made: Cluster, command: tuple[str, ...]) -> Iterator[Address]:
    """Run a server under a guard that ends with us."""
    socket_folder = cluster.socket_folder(made.home, made.account)
    words = (str(made.log), str(made.home), str(socket_folder), *command)
    with subprocess.Popen(
        ("/bin/sh", "-c", GUARDED, *words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        env=programs.environment(),
        umask=0o077,
        start_new_session=True,
        **made.account.identity(),
    ) as guard:
        assert guard.stdout is not None
        pid = int(guard.stdout.readline())
        address = cluster.wait_ready(made, pid)
        cluster.ensure_database(made.binaries, address)
        yield address


def new_home(folder: Path | None, who: Account) -> tuple[Path, int]:
    """Return a new folder that is the account's alone, and the descriptor that keeps it."""
    parent = (folder or Path(tempfile.gettempdir())).resolve()
    if not who.is_caller and not who.reaches(parent):
        if folder:
            raise ServerFailed(
                f"{who.name}, under which the server runs, cannot reach {folder}",
                hint="Give a folder whose parents all may enter.",
            )
        parent = Path("/tmp")
    home, descriptor = files.make_temporary(parent)
    os.chown(home, who.uid, who.gid)
    return home, descriptor


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptServer:
    """A server, and how to end it."""

    address: Address
    cluster: Cluster

    @property
    def ending(self) -> str:
        """Return the command that stops the server and removes its folder."""
        home = shlex.quote(str(self.cluster.home))
        program = shlex.quote(str(self.cluster.binaries.program("pg_ctl")))
        stop = f"{program} -D {home}/data -m immediate stop"
        if not self.cluster.account.is_caller:
            stop = f"runuser -u {self.cluster.account.name} -- {stop}"
        return f"cd / && {stop} && rm -r {home}"


def keep(binaries: Binaries, folder: Path | None = None) -> KeptServer:
    """Make and start a server for whoever may enter its folder."""
    who = programs.server_account()
    home, descriptor = new_home(folder, who)
    (home / files.MARK).unlink()  # it outlives us: nobody may take it for a leftover
    os.close(descriptor)
    reachable = postgres_binaries.reachable(binaries, who)
    made = Cluster(home=home, binaries=reachable, account=who, superuser=SUPERUSER)
    cluster.make(made, "--no-sync")
    address = cluster.start(made, cluster.command(made, FAST))
    cluster.ensure_database(made.binaries, address)
    return KeptServer(address=address, cluster=made)


MEMORY = Path("/dev/shm")
ROOM = 4_000_000_000
"""Bytes that must be free; a server with all the templates of this package's tests has half."""
QUICK: Mapping[str, str] = MappingProxyType(
    {**FAST, "max_wal_size": "128MB", "jit": "off", "autovacuum": "off"}
)
"""For a server in memory: it keeps little log, statements are too short to compile, and databases
go before a vacuum would pay."""
CONTROL = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
"""Files of a container's limit and use of memory, in the second and the first form of cgroups."""


def quick_folder() -> Path:
    """Return a folder in memory when there is room, else the folder for temporary files."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if roomy and min(memory_left()) > ROOM else Path("/tmp")


def memory_left(root: Path = Path("/")) -> Iterator[int]:
    """Yield how many bytes of memory the machine, and the container, have left."""
    left = 0
    with contextlib.suppress(OSError, ValueError):
        table = (root / "proc/meminfo").read_text().splitlines()
        lines = dict(line.split(":", 1) for line in table)
        left = int(lines.get("MemAvailable", "0").split()[0]) * 1024
    yield left
    for limit, used in CONTROL:
        with contextlib.suppress(OSError, ValueError):
            group = root / "sys/fs/cgroup"
            yield int((group / limit).read_text()) - int((group / used).read_text())
