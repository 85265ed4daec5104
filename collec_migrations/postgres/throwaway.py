"""A server for a test or a rehearsal, deleted afterwards even when we are killed."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import (
    account,
    binary_copies,
    cluster,
    launch,
    programs,
    psql,
    sockets,
    temporary,
)
from collec_migrations.postgres.account import Account
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.cluster import Cluster

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
    who = account.for_server()
    home, descriptor = new_home(folder, who)
    reachable = binary_copies.reachable(binaries, who)
    made = Cluster(home=home, binaries=reachable, account=who, superuser=superuser)
    try:
        cluster.make(made, "--no-sync")
        if tcp:
            command = launch.command_with_tcp(made, _free_port(), settings)
        else:
            command = launch.command(made, settings)
        with _running(made, command) as address:
            yield address
    finally:
        shutil.rmtree(home, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def _running(made: Cluster, command: tuple[str, ...]) -> Iterator[Address]:
    """Run a server under a guard that ends with us."""
    socket_folder = sockets.folder_for(made.home, made.account)
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
        psql.ensure_database(made.binaries, address)
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
    home, descriptor = temporary.make(parent)
    os.chown(home, who.uid, who.gid)
    return home, descriptor


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
