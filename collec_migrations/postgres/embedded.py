"""The server of a folder: made when first used, started when stopped."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import (
    account,
    binaries,
    binary_copies,
    cluster,
    embedded_home,
    files,
    launch,
    postmaster,
    psql,
)
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.cluster import Cluster
from collec_migrations.postgres.embedded_home import Say

PATIENCE = 180.0


def ensure_running(folder: Path, *, say: Say) -> Address:
    """Return the address of a folder's server, after making or starting it when needed.

    `say` is told what was done, and how to reach the server, only when something was done.
    """
    with _failures():
        private = embedded_home.claim(folder.resolve(strict=True))
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
            psql.ensure_database(found.binaries, address)
            return address


def stop(folder: Path) -> bool:
    """Stop the server of a folder; tell whether one was running."""
    with _failures():
        found = find(folder)
        if found is None:
            return False
        with _locked(folder.resolve() / embedded_home.NAME):
            return cluster.stop(found)


def find(folder: Path) -> Cluster | None:
    """Return the cluster of a folder, running or not; nothing is made."""
    with _failures():
        private = folder.resolve(strict=True) / embedded_home.NAME
        if not os.path.lexists(private):
            return None
        embedded_home.check_owner(private)
        return _existing(private)


def _existing(private: Path) -> Cluster | None:
    home = embedded_home.home_of(private)
    if home is None:
        return None
    who = account.owner(home.stat().st_uid)
    return Cluster(home=home, binaries=binaries.embedded(), account=who)


def _new(private: Path, say: Say) -> Cluster:
    who = account.for_server()
    home = embedded_home.choose_home(private, who, say)
    return Cluster(home=home, binaries=binaries.embedded(), account=who)


def _start(found: Cluster, private: Path, say: Say) -> Address:
    if not found.account.reaches(found.home):
        raise ServerFailed(
            f"{found.account.name}, who runs the server, cannot reach {found.home}",
            hint="Let that account pass through the folders above, or move the folder.",
        )
    usable = replace(found, binaries=binary_copies.reachable(found.binaries, found.account))
    if not found.data.exists():
        say(f"making a PostgreSQL {usable.binaries.major} server in {found.home}")
        cluster.make(usable)
    address = cluster.start(usable, launch.command(usable))
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
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise ServerFailed(
                    f"another process holds {private / 'lock'}",
                    hint="It starts or stops the server: wait for it, or end it.",
                )
            time.sleep(0.05)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
