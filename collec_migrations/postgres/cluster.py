"""A PostgreSQL cluster: make it, start it, stop it."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import postmaster, programs, sockets
from collec_migrations.postgres.account import Account
from collec_migrations.postgres.address import ROLE, Address
from collec_migrations.postgres.binaries import Binaries

PORT = 5432
PATIENCE = 60.0
BIG_LOG = 10_000_000
STILL_DYING = "pre-existing shared memory block"
# The shell starts the server in the background and says its process id; the log is word 0.
DETACHED = '"$@" </dev/null >>"$0" 2>&1 & echo $!'


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster and all that goes with it, in one folder that belongs to the server's account."""

    home: Path
    binaries: Binaries
    account: Account
    superuser: str = ROLE

    @property
    def data(self) -> Path:
        """Return the data folder of PostgreSQL."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """Return the server's log."""
        return self.home / "log"

    def run(self, *command: str | Path, text: str = "") -> str:
        """Run a program under the server's account."""
        return programs.run(command, account=self.account, folder=self.home, text=text)


def make(cluster: Cluster, *options: str) -> None:
    """Make the data folder, or leave none: half of one would look like a whole one."""
    for left in cluster.home.glob("data.partial-*"):
        shutil.rmtree(left, ignore_errors=True)
    # A name of its own: when a caller was killed, its initdb may still be at work.
    partial = cluster.home / f"data.partial-{os.getpid()}"
    who = (f"--username={cluster.superuser}", "--auth-local=peer", "--auth-host=reject")
    what = ("--encoding=UTF8", "--locale=C", *options)
    cluster.run(cluster.binaries.program("initdb"), "-D", partial, *who, *what)
    partial.rename(cluster.data)


def start(cluster: Cluster, command: tuple[str, ...]) -> Address:
    """Start a server that outlives us, and return once it takes connections."""
    _check_version(cluster)
    _clear_stale(cluster)
    deadline = time.monotonic() + PATIENCE
    while True:
        logged = _rotated_log(cluster)
        pid = int(cluster.run("/bin/sh", "-c", DETACHED, cluster.log, *command))
        try:
            return wait_ready(cluster, pid, logged)
        except ServerFailed as error:
            # A child of a killed server ends its statement before it notices.
            if STILL_DYING not in error.hint or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def wait_ready(cluster: Cluster, pid: int, logged: int = 0) -> Address:
    """Return where a server that was started is, or say why it did not start.

    `logged` is where its words begin in the log.
    """
    for _ in _until(PATIENCE):
        found = postmaster.recorded(cluster.data)
        if found and found.pid == pid and found.is_ready:
            return replace(found.address, user=cluster.superuser)
        if not postmaster.is_alive(pid):
            words = cluster.log.read_bytes()[logged:].decode(errors="replace")
            raise ServerFailed(
                f"PostgreSQL did not start in {cluster.home}", hint=programs.last_words(words)
            )
    raise ServerFailed(
        f"PostgreSQL is not ready after {PATIENCE:.0f} seconds in {cluster.home}",
        hint=f"It may be recovering: see {cluster.log}, then try again.",
    )


def stop(cluster: Cluster) -> bool:
    """Stop the server without waiting for its clients; tell whether one was running."""
    return _stop(cluster, signal.SIGINT)


def abort(cluster: Cluster) -> bool:
    """Stop the server without a checkpoint: the next start recovers."""
    return _stop(cluster, signal.SIGQUIT)


def _stop(cluster: Cluster, how: signal.Signals) -> bool:
    found = postmaster.running(cluster.data)
    if found is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(found.pid, how)
    for _ in _until(PATIENCE):
        if not postmaster.is_alive(found.pid):
            break
    else:
        raise ServerFailed(
            f"the server with process id {found.pid} does not stop", hint=f"See {cluster.log}."
        )
    if Path(found.socket_folder) != cluster.home:
        with suppress(OSError):
            Path(found.socket_folder).rmdir()
    return True


def address(cluster: Cluster) -> Address | None:
    """Return where the server is, when it runs."""
    found = postmaster.running(cluster.data)
    return replace(found.address, user=cluster.superuser) if found else None


def _check_version(cluster: Cluster) -> None:
    made_by = (cluster.data / "PG_VERSION").read_text().strip()
    if made_by != str(cluster.binaries.major):
        raise ServerFailed(
            f"{cluster.data} was made by PostgreSQL {made_by}, "
            f"and the server at hand is {cluster.binaries.major}",
            hint=f"Dump it with PostgreSQL {made_by}, move the folder away, and restore the dump.",
        )


def _clear_stale(cluster: Cluster) -> None:
    """Remove the traces of a killed server, so that a process with its id does not matter."""
    folder = sockets.folder_for(cluster.home, cluster.account)
    # Another container has other process ids, yet the same files.
    if sockets.answers(folder / f".s.PGSQL.{PORT}"):
        raise ServerFailed(
            f"a server that is not among our processes runs on {cluster.data}",
            hint="Stop it where it was started: in another container, or as another user.",
        )
    traces = (cluster.data / "postmaster.pid", folder / f".s.PGSQL.{PORT}.lock")
    if any(trace.exists() for trace in traces):
        cluster.run("/bin/rm", "-f", "--", *traces)


def _rotated_log(cluster: Cluster) -> int:
    """Put a big log aside; return how long the log is."""
    size = cluster.log.stat().st_size if cluster.log.exists() else 0
    if size <= BIG_LOG:
        return size
    cluster.log.replace(cluster.log.with_suffix(".old"))
    return 0


def _until(seconds: float) -> Iterator[None]:
    """Go on every 10 ms until the time has passed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.01)
