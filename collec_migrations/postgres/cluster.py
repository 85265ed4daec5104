"""A PostgreSQL cluster of ours: its socket, its command; make it, start it, ask it, stop it."""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import postmaster, programs
from collec_migrations.postgres.address import ROLE, Address
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.programs import Account

LONGEST = 107 - len("/.s.PGSQL.65535")
"""A socket's path has 107 bytes at most (unix(7))."""


def socket_folder(
    home: Path, account: Account, environment: Mapping[str, str] = os.environ
) -> Path:
    """Return a folder for the socket, made when it is not there: the server's own if it can be."""
    if is_fit_for_socket(home):
        return home
    for base in _bases(account, environment):
        folder = base / f"collec-{fingerprint(home)}"
        if is_fit_for_socket(folder):
            _claim(folder, account)
            return folder
    raise ServerFailed(f"no place for a socket of {home}", hint="Use a shorter path.")


def is_fit_for_socket(folder: Path) -> bool:
    """Tell whether a socket can be in a folder.

    Short enough for the kernel; no comma, which separates hosts in libpq, nor any character that
    must be quoted where an address is pasted.
    """
    path = str(folder)
    return len(os.fsencode(path)) <= LONGEST and bool(re.fullmatch(r"[\w./-]+", path, re.ASCII))


def socket_answers(path: Path) -> bool:
    """Tell whether something listens at a socket."""
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
        client.connect(str(path))
        return True
    return False


def fingerprint(folder: Path) -> str:
    """Return a short name for a folder."""
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]


def _bases(account: Account, environment: Mapping[str, str]) -> Iterator[Path]:
    runtime = environment.get("XDG_RUNTIME_DIR")
    if runtime and account.is_caller and _is_private(Path(runtime), account):
        yield Path(runtime)
    yield Path("/tmp")


def _claim(folder: Path, account: Account) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not _is_private(folder, account):
            raise ServerFailed(
                f"{folder} exists and belongs to somebody else",
                hint=f"Remove it; it has to be a folder of {account.name} with mode 0700.",
            ) from None
    else:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def _is_private(folder: Path, account: Account) -> bool:
    """Tell whether a folder, and no link, is an account's alone."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid
    return mine and not found.st_mode & 0o077


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
    folder = socket_folder(cluster.home, cluster.account)
    # Another container has other process ids, yet the same files.
    if socket_answers(folder / f".s.PGSQL.{PORT}"):
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


UNPRIVILEGED = "throwaway_unprivileged"
"""A role for what is not to be trusted, where one is made."""
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
SINCE = {"jit": 11}
"""An older server does not start with a setting that it does not know."""
BY_SOCKET = "local all all peer map=collec\n"
BY_PASSWORD = "host all all 127.0.0.1/32 scram-sha-256\n"
"""The superuser has no password: only a role that was given one comes in."""


def command(cluster: Cluster, settings: Mapping[str, str] = NO_SETTINGS) -> tuple[str, ...]:
    """Return the command of a server that is reached by its socket alone."""
    return _command(cluster, BY_SOCKET, {"listen_addresses": "", "port": str(PORT), **settings})


def command_with_tcp(
    cluster: Cluster, port: int, settings: Mapping[str, str] = NO_SETTINGS
) -> tuple[str, ...]:
    """Return the command of a server that also takes passwords on 127.0.0.1."""
    door = {"listen_addresses": "127.0.0.1", "port": str(port)}
    return _command(cluster, BY_SOCKET + BY_PASSWORD, {**door, **settings})


def identities(account: Account, superuser: str) -> str:
    """Return who may be the superuser: the server's account, and root, who may do all anyway.

    The same may be the role that has no rights, for what is not to be trusted.
    """
    names = dict.fromkeys(("root", account.name))
    roles = (superuser, UNPRIVILEGED)
    return "".join(f'collec "{name}" {role}\n' for name in names for role in roles)


def _command(cluster: Cluster, hba: str, settings: Mapping[str, str]) -> tuple[str, ...]:
    """Write what the server reads, and return its command.

    What must hold is on the command line: it wins over an edited postgresql.conf, and is right
    again after the folder was moved.
    """
    who = identities(cluster.account, cluster.superuser)
    settings = {
        "hba_file": _written(cluster, "pg_hba.conf", hba),
        "ident_file": _written(cluster, "pg_ident.conf", who),
        "unix_socket_directories": str(socket_folder(cluster.home, cluster.account)),
        "unix_socket_permissions": "0700",
        "logging_collector": "off",
        "log_destination": "stderr",
        **settings,
    }
    major = cluster.binaries.major
    known = {name: value for name, value in settings.items() if major >= SINCE.get(name, 0)}
    options = [word for name, value in known.items() for word in ("-c", f"{name}={value}")]
    return (str(cluster.binaries.program("postgres")), "-D", str(cluster.data), *options)


def _written(cluster: Cluster, name: str, text: str) -> str:
    """Write a file as the account: root would follow a link that the account laid."""
    path = cluster.home / name
    cluster.run("/bin/sh", "-c", 'cat >"$1"', "sh", path, text=text)
    return str(path)


def psql(binaries: Binaries, address: Address, script: str) -> str:
    """Run a script as the caller, and return its rows without any decoration."""
    from collec_migrations.postgres.prologue import OWN_PATH  # it loads the driver: 0.05 s

    command = [str(binaries.program("psql")), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", address.dsn]
    done = subprocess.run(
        command,
        input=OWN_PATH + script,
        capture_output=True,
        encoding="utf-8",
        env=programs.environment() | {"PGCONNECT_TIMEOUT": "10"},
        cwd="/",
        check=False,
    )
    if done.returncode != 0:
        raise ServerFailed(
            f"the server in {address.host} does not answer as it should",
            hint=programs.last_words(done.stderr),
        )
    return done.stdout


def ensure_database(binaries: Binaries, address: Address) -> None:
    """Create the database of an address when it is not there."""
    maintenance = replace(address, dbname="postgres")
    psql(
        binaries,
        maintenance,
        f"select format('create database %I', name) from (values ('{address.dbname}')) v (name)"
        " where not exists (select from pg_database where datname = name)\n\\gexec\n",
    )
