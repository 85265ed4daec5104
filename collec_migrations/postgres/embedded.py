"""The server of a folder: made when first used, started when stopped."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import binaries, cluster, files, postmaster, programs
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.cluster import Cluster
from collec_migrations.postgres.programs import Account

NAME = ".collec"
SHARED = Path("/var/lib/collec-migrations")
Say = Callable[[str], None]


def claim(folder: Path) -> Path:
    """Return the folder's `.collec`, made when it is not there."""
    if "\n" in str(folder) or "\r" in str(folder):
        raise ServerFailed(
            f"the path of the folder holds a line break: {str(folder)!r}",
            hint="PostgreSQL's own files cannot hold such a path: use another folder.",
        )
    private = folder / NAME
    if not os.path.lexists(private):
        private.mkdir(mode=0o700, exist_ok=True)
    check_owner(private)
    ignore = private / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return private


def check_owner(private: Path) -> None:
    """Refuse a `.collec` of somebody else: root would do as its owner wishes."""
    found = private.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ServerFailed(f"{private} is not a folder", hint="Move it away.")
    if found.st_uid != os.geteuid():
        name = programs.account_of(found.st_uid).name
        raise ServerFailed(
            f"{private} belongs to {name}", hint=f"Run the command as {name}, or elsewhere."
        )


def home_of(private: Path) -> Path | None:
    """Return the folder of the server, when one was made and given to its account."""
    pointer = private / "elsewhere"
    home = Path(pointer.read_text().strip()) if pointer.exists() else private / "server"
    if not home.is_dir() or (os.geteuid() == 0 and home.stat().st_uid == 0):
        return None
    return home


def choose_home(private: Path, who: Account, say: Say) -> Path:
    """Make the folder of a new server, and leave a note when it is not in `.collec`."""
    home = private / "server"
    if not who.is_caller:
        # To pass through, not to look: what is inside belongs to the account alone.
        private.chmod(0o711)
        if not who.reaches(private):
            binaries.ensure_shared(SHARED, 0o711)
            home = SHARED / cluster.fingerprint(private)
            (private / "elsewhere").write_text(f"{home}\n")
            say(f"the data go to {home}: {who.name}, who runs the server, cannot reach {private}")
    home.mkdir(mode=0o700, exist_ok=True)
    os.chown(home, who.uid, who.gid, follow_symlinks=False)
    return home


PATIENCE = 180.0


def ensure_running(folder: Path, *, say: Say) -> Address:
    """Return the address of a folder's server, after making or starting it when needed.

    `say` is told what was done, and how to reach the server, only when something was done.
    """
    with _failures():
        private = claim(folder.resolve(strict=True))
        with _locked(private):
            found = _existing(private) or _new(private, say)
            running = postmaster.running(found.data)
            if running and running.has_moved(found.data):
                say(f"{private} was moved while its server ran: the server is started anew")
                cluster.abort(found)
                running = None
            if running:
                address = cluster.wait_ready(found, running.pid)
            else:
                address = _start(found, private, say)
            cluster.ensure_database(found.binaries, address)
            return address


def stop(folder: Path) -> bool:
    """Stop the server of a folder; tell whether one was running."""
    with _failures():
        found = find(folder)
        if found is None:
            return False
        with _locked(folder.resolve() / NAME):
            return cluster.stop(found)


def find(folder: Path) -> Cluster | None:
    """Return the cluster of a folder, running or not; nothing is made."""
    with _failures():
        private = folder.resolve(strict=True) / NAME
        if not os.path.lexists(private):
            return None
        check_owner(private)
        return _existing(private)


def _existing(private: Path) -> Cluster | None:
    home = home_of(private)
    if home is None:
        return None
    who = programs.account_of(home.stat().st_uid)
    return Cluster(home=home, binaries=binaries.embedded(), account=who)


def _new(private: Path, say: Say) -> Cluster:
    who = programs.server_account()
    home = choose_home(private, who, say)
    return Cluster(home=home, binaries=binaries.embedded(), account=who)


def _start(found: Cluster, private: Path, say: Say) -> Address:
    if not found.account.reaches(found.home):
        raise ServerFailed(
            f"{found.account.name}, who runs the server, cannot reach {found.home}",
            hint="Let that account pass through the folders above, or move the folder.",
        )
    usable = replace(found, binaries=binaries.reachable(found.binaries, found.account))
    if not found.data.exists():
        say(f"making a PostgreSQL {usable.binaries.major} server in {found.home}")
        cluster.make(usable)
    address = cluster.start(usable, cluster.command(usable))
    say(
        f"PostgreSQL {usable.binaries.major} of {private} started; "
        f"reach it with: {address.psql}; "
        "stop it with: collec-migrations server stop"
    )
    return address


@contextmanager
def _locked(private: Path) -> Iterator[None]:
    """Let one process at a time make, start or stop the server of a folder."""
    with os.fdopen(files.open_lock(private / "lock"), "w") as file:
        deadline = time.monotonic() + PATIENCE
        while not files.try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise ServerFailed(
                    f"another process holds {private / 'lock'}",
                    hint="It starts or stops the server: wait for it, or end it.",
                )
            time.sleep(0.05)
        yield


@contextmanager
def _failures() -> Iterator[None]:
    """Tell a failure of the file system as one line."""
    try:
        yield
    except OSError as error:
        what = (error.strerror or str(error)).lower()
        raise ServerFailed(
            f"{what}: {error.filename}",
            hint="Use another folder, or set COLLEC_DATABASE_URL to use a server of your own.",
        ) from error
