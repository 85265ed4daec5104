"""Try every path through the chain, up and back, on servers made for it.

Facts and rows are compared at each stop. A process for each server, as many as there are cores:
Alembic keeps its context in globals of its module, and one process runs one database at a time.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from time import monotonic

import psycopg2
from psycopg2 import extensions, sql

from collec_migrations.errors import MigrationError, ServerFailed, UnknownVersion
from collec_migrations.migrate import verbs
from collec_migrations.migrate.wrapped_step import ON_A_COPY
from collec_migrations.postgres import binaries, conninfo, scratch
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.postgres.throwaway import throwaway
from collec_migrations.testing import database_state, path_report
from collec_migrations.testing.path_report import Outcome, Path, ServerResult
from collec_migrations.testing.templates import (
    Content,
    Templates,
    options,
    revisions,
    silent,
)
from collec_migrations.wrap import Revision

Say = Callable[[str], None]
SHOWN = 10
"""Failures shown of one stop."""
BASE = "base"


def chosen_servers(majors: Sequence[int]) -> tuple[Binaries, ...]:
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


def chosen_paths(rows: int, only: Sequence[str]) -> tuple[Path, ...]:
    """Return every path through the chain of this folder, or those from some versions."""
    oldest_first = [one.version for one in revisions()]
    return _paths_of(oldest_first, rows, only)


def try_all(
    servers: Sequence[Binaries], paths: Sequence[Path], *, say: Say
) -> tuple[ServerResult, ...]:
    """Return what was found on each server; `say` must be a function that a process can be sent."""
    work = partial(try_one, paths=paths, say=say)
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


def try_one(server: Binaries, paths: Sequence[Path], *, say: Say) -> ServerResult:
    """Try paths on one server; errors of a path are part of what is found."""
    began = monotonic()
    chain = revisions()
    say(f"PostgreSQL {server.version}: starting")
    with (
        throwaway(server, folder=scratch.quick(), settings=scratch.QUICK) as address,
        databases_on(address) as made,
    ):
        templates = Templates(made)
        outcomes = []
        for path in paths:
            outcomes.append(try_path(path, chain, made, templates))
            say(f"PostgreSQL {server.version}: {path_report.progress(outcomes[-1])}")
    return ServerResult(
        server_version=server.version, outcomes=tuple(outcomes), seconds=monotonic() - began
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """Makes databases by one connection."""

    server: Address
    connection: extensions.connection
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def create(self, template: str | None) -> str:
        """Create a database, empty or a clone; return its name."""
        name = f"path_{next(self._numbers)}"
        self._execute("create database {} template {}", name, template or "template0")
        return name

    def dsn(self, dbname: str) -> str:
        """Return where a database is, for libpq."""
        return extensions.make_dsn(self.server.dsn, dbname=dbname)

    @contextmanager
    def fresh(self, template: str | None) -> Iterator[str]:
        """Give the address of a database that is dropped at the end."""
        name = self.create(template)
        try:
            yield self.dsn(name)
        finally:
            self._drop(name)

    def _drop(self, name: str) -> None:
        """Drop a database, and end whoever is still in it; before 13 there is no `force`."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
            )
        self._execute("drop database {}", name)

    def _execute(self, statement: str, *names: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def databases_on(server: Address) -> Iterator[Databases]:
    """Give what makes databases on a server of ours."""
    with closing(database.connect(conninfo.Address(server.dsn))) as connection:
        connection.autocommit = True
        yield Databases(server=server, connection=connection)


@dataclass(slots=True, kw_only=True)
class PathTest:
    """How far the test of a path has come."""

    path: Path
    wrapped: str
    """The first wrapped version on the path, or nothing."""
    up: float | None = None
    back: float | None = None
    failures: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def outcome(self) -> Outcome:
        """Return how it went."""
        return Outcome(
            path=self.path,
            up=self.up,
            back=self.back,
            failures=tuple(self.failures),
            remarks=tuple(self.remarks),
        )

    def fail(self, found: Iterator[str]) -> None:
        """Add failures, not more than can be read."""
        sentences = list(found)
        self.failures += sentences[:SHOWN]
        if len(sentences) > SHOWN:
            self.failures.append(f"and {len(sentences) - SHOWN} more")


def _paths_of(versions: Sequence[str], rows: int, only: Sequence[str]) -> tuple[Path, ...]:
    """Return every path: from nothing, and from each older version without and with rows.

    `only` restricts the starts. Raises `UnknownVersion` for one that no path starts at.
    """
    *older, head = versions
    for start in only:
        if start not in older:
            raise UnknownVersion(
                f"{start!r} is no version before {head}", hint=f"Those are {', '.join(older)}."
            )
    first = () if only else (Path(start=None, head=head, rows=0),)
    starts = only or older
    return (
        *first,
        *(Path(start=one, head=head, rows=held) for one in starts for held in (0, rows)),
    )


def try_path(
    path: Path, chain: tuple[Revision, ...], databases: Databases, templates: Templates
) -> Outcome:
    """Try one path in a database of its own, and return how it went: errors are failures."""
    done = PathTest(path=path, wrapped=_wrapped_after(path.start, chain))
    try:
        base = None
        if path.start:
            base = templates.of(Content(version=path.start, rows=path.rows))
        with databases.fresh(base) as dsn:
            if path.start:
                _there_and_back(done, path.start, dsn, templates)
            else:
                _from_nothing(done, dsn)
    except MigrationError as error:
        done.failures.append(f"{error}\n{error.hint}".strip())
    except psycopg2.Error as error:
        done.failures.append(database.first_line(error))
    return done.outcome()


def _there_and_back(done: PathTest, start: str, dsn: str, templates: Templates) -> None:
    head = templates.maker.dsn(templates.of(Content(version=done.path.head)))
    with database_state.opened(head) as connection:
        newest = database_state.columns(connection)
    with database_state.opened(dsn) as connection:
        own = database_state.columns(connection)
        shared = database_state.shared(own, newest)
        whole, kept = database_state.rows(connection, own), database_state.rows(connection, shared)
    _up(done, dsn)
    with database_state.opened(dsn) as connection:
        after = database_state.rows(connection, shared)
    if done.wrapped:
        done.fail(database_state.fewer(kept, after))
        done.remarks += database_state.lost(kept, after)
        return
    done.fail(database_state.lost(kept, after))
    _back(done, dsn, start)
    with database_state.opened(dsn) as connection:
        again = database_state.rows(connection, own)
        done.fail(database_state.drift(connection, start, wrapped=False))
        done.fail(f"back at {start}: {one}" for one in database_state.lost(whole, again))
        done.fail(f"back at {start}: {one}" for one in database_state.more(whole, again))
        archives = database_state.archives(connection)
        done.fail(f"back at {start}: the schema {name} is left" for name in archives)


def _from_nothing(done: PathTest, dsn: str) -> None:
    _up(done, dsn)
    if done.wrapped:
        return
    _back(done, dsn, BASE)
    with database_state.opened(dsn) as connection:
        if not database_state.is_empty(connection):
            done.failures.append("back at nothing: something of the application is left")


def _up(done: PathTest, dsn: str) -> None:
    began = monotonic()
    verbs.upgrade(options(dsn, database_state.NAMES), done.path.head, say=silent, remark=ON_A_COPY)
    done.up = monotonic() - began
    with database_state.opened(dsn) as connection:
        done.fail(database_state.drift(connection, done.path.head, wrapped=bool(done.wrapped)))
    if done.wrapped:
        done.remarks.append(f"there is no way back from {done.wrapped}, which is wrapped")


def _back(done: PathTest, dsn: str, version: str) -> None:
    began = monotonic()
    verbs.downgrade(options(dsn, database_state.NAMES), version, say=silent)
    done.back = monotonic() - began


def _wrapped_after(start: str | None, chain: tuple[Revision, ...]) -> str:
    """Return the first version after `start` that was wrapped, or nothing.

    There is no way back from it, and its script may change what it likes.
    """
    versions = [one.version for one in chain]
    beyond = chain[versions.index(start) + 1 :] if start else chain
    return next((one.version for one in beyond if one.checksum), "")
