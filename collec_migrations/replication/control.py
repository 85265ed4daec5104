"""Start and stop the server of a data folder, as the account that owns it and as its system does.

On Debian a cluster is run by `pg_ctlcluster`, which knows its files in /etc and tells systemd: a
server that is stopped behind systemd's back may be started again by it.
"""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.replication import configuration
from collec_migrations.replication.faults import ReplicationFailed
from collec_migrations.server import account, binaries, copies, postmaster, programs
from collec_migrations.server.account import Account
from collec_migrations.server.binaries import Binaries

DEBIAN = Path("/etc/postgresql")
SECONDS = 120
REAPED = 30.0
LOG = "startup.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A data folder of this machine and the programs that made it."""

    data: Path
    major: str
    binaries: Binaries
    account: Account
    etc: Path | None
    """Where Debian keeps its configuration."""

    @property
    def running(self) -> bool:
        """Tell whether a server runs on the folder."""
        return postmaster.running(self.data) is not None

    @property
    def debian(self) -> tuple[str, str] | None:
        """Return version and name of the cluster on Debian."""
        return (self.etc.parent.name, self.etc.name) if self.etc else None

    def run(self, name: str, *words: str | Path) -> str:
        """Run a program of this PostgreSQL as the owner; raise ServerFailed with its last words."""
        command = (self.binaries.program(name), *words)
        return programs.run(command, account=self.account, folder=Path("/"))


def of(data: Path, bin_dir: Path | None = None) -> Server:
    """Return the server of a data folder; raise ReplicationRefused when it is none."""
    data = data.absolute()
    major = configuration.major_of(data)
    who = account.owner(data.stat().st_uid)
    found = binaries.in_folder(bin_dir) if bin_dir else _programs(major)
    return Server(
        data=data,
        major=major,
        binaries=copies.reachable(found, who),
        account=who,
        etc=_etc(data, major),
    )


def start(server: Server) -> None:
    """Start a server and wait until it answers; raise ReplicationFailed with the reason."""
    _wait_for_reaper(server)
    if server.debian:
        _cluster(server, "start")
        return
    log = server.data / LOG
    begins = log.stat().st_size if log.exists() else 0
    try:
        _pg_ctl(server, "-l", log, "start")
    except ServerFailed as error:
        words = log.read_bytes()[begins:].decode(errors="replace") if log.exists() else ""
        raise ReplicationFailed(
            f"the server in {server.data} did not start",
            hint=programs.last_words(words) or error.hint,
        ) from error


def stop(server: Server) -> None:
    """Stop a server, ending its sessions, once its standbys have all it wrote.

    Nothing happens when it does not run. Raises ReplicationFailed when it does not stop.
    """
    if not server.running:
        return
    try:
        if server.debian:
            _cluster(server, "stop")
        else:
            _pg_ctl(server, "-m", "fast", "stop")
    except ServerFailed as error:
        raise ReplicationFailed(
            f"the server in {server.data} does not stop", hint=error.hint
        ) from error
    if server.running:
        raise ReplicationFailed(
            f"the server in {server.data} was stopped and runs again",
            hint="Something starts it: stop it there (systemctl stop ...), then try again.",
        )


def control_data(server: Server) -> Mapping[str, str]:
    """Return what pg_controldata tells of a folder, by its English names."""
    rows = (line.partition(":") for line in server.run("pg_controldata", server.data).splitlines())
    return {name.strip(): value.strip() for name, _, value in rows}


def recover(server: Server) -> None:
    """Let a server that was killed come to a clean stop, alone: nobody can connect meanwhile."""
    options = ["-c", f"config_file={server.etc / 'postgresql.conf'}"] if server.etc else []
    server.run("postgres", "--single", "-D", server.data, *options, "template1")


def _wait_for_reaper(server: Server) -> None:
    """Wait while a killed server is a zombie: PostgreSQL takes it for a running one."""
    left = postmaster.recorded(server.data)
    deadline = time.monotonic() + REAPED
    while (
        left
        and not postmaster.is_alive(left.pid)
        and Path(f"/proc/{left.pid}").exists()
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)


def _pg_ctl(server: Server, *words: str | Path) -> None:
    server.run("pg_ctl", "-D", server.data, "-w", "-t", str(SECONDS), *words)


def _cluster(server: Server, verb: str) -> None:
    assert server.debian is not None
    force = ("--force",) if verb == "stop" else ()
    command = ("pg_ctlcluster", *force, *server.debian, verb)
    try:
        # By root when we are root: it hands over to systemd where that runs.
        programs.run(command, account=account.owner(os.geteuid()), folder=Path("/"))
    except ServerFailed as error:
        raise ReplicationFailed(
            f"{' '.join(command)} failed", hint=error.hint or "Its log says why."
        ) from error


def _etc(data: Path, major: str) -> Path | None:
    """Return Debian's folder of configuration for a data folder."""
    for file in DEBIAN.glob(f"{major}/*/postgresql.conf"):
        told = re.search(r"^\s*data_directory\s*=?\s*'([^']*)'", file.read_text(), re.MULTILINE)
        if told and Path(told[1]).resolve() == data.resolve():
            return file.parent
    return None


def _programs(major: str) -> Binaries:
    for found in binaries.at_hand():
        if found.version == major or found.version.startswith(f"{major}."):
            return found
    raise ServerFailed(
        f"no PostgreSQL {major} on this machine",
        hint=f"Install the package postgresql-{major}, or say with --bindir where it is.",
    )
