"""Try every way on servers made for it: a process for each server, as many as there are cores.

Alembic keeps its context in globals of its module: one process runs one database at a time.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from time import monotonic

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import binaries, scratch
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.throwaway import throwaway
from collec_migrations.testing import path_databases, path_text, path_versions, path_walk
from collec_migrations.testing.path_results import Tried, Way
from collec_migrations.testing.templates import Templates

Say = Callable[[str], None]


def chosen(majors: Sequence[int]) -> tuple[Binaries, ...]:
    """Return the binaries of these majors, of all at hand for none.

    Raises `ServerFailed`, naming every major that this machine has not.
    """
    there = {one.major: one for one in reversed(tuple(binaries.at_hand()))}
    missing = [str(major) for major in majors if major not in there]
    if missing:
        known = ", ".join(map(str, sorted(there)))
        raise ServerFailed(
            f"no PostgreSQL {', '.join(missing)} on this machine, which has {known or 'none'}",
            hint=f"Install the package postgresql-{missing[0]} of your system.",
        )
    return tuple(there[major] for major in majors or sorted(there))


def ways(rows: int, only: Sequence[str]) -> tuple[Way, ...]:
    """Return every way through the chain of this folder, or those from some versions."""
    return path_walk.ways([one.version for one in path_versions.revisions()], rows, only)


def try_all(servers: Sequence[Binaries], ways: Sequence[Way], *, say: Say) -> tuple[Tried, ...]:
    """Return what was found on each server; `say` must be a function that a process can be sent."""
    work = partial(try_one, ways=ways, say=say)
    if len(servers) == 1:
        return (work(servers[0]),)
    workers = min(len(servers), os.cpu_count() or 1)
    spawning = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawning, initializer=_end_with_parent) as pool:
        return tuple(pool.map(work, servers))


def _end_with_parent() -> None:
    """Let this process end as soon as the one that started it has gone, even killed.

    A worker of a pool would wait for work for ever; its servers end when it does.
    """
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def try_one(server: Binaries, ways: Sequence[Way], *, say: Say) -> Tried:
    """Try ways on one server; errors of a way are part of what is found."""
    began = monotonic()
    revisions = path_versions.revisions()
    say(f"PostgreSQL {server.version}: starting")
    with (
        throwaway(server, folder=scratch.quick(), settings=scratch.QUICK) as address,
        path_databases.on(address) as made,
    ):
        templates = Templates(made)
        outcomes = []
        for way in ways:
            outcomes.append(path_walk.walk(way, revisions, made, templates))
            say(f"PostgreSQL {server.version}: {path_text.progress(outcomes[-1])}")
    return Tried(
        server_version=server.version, outcomes=tuple(outcomes), seconds=monotonic() - began
    )
