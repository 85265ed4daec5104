"""Try every path through the chain, up and back, on servers made for it.

Facts are compared at each stop, rows at the end of each way. A process for each server, as many as
there are cores: Alembic keeps its context in globals of its module, and one process runs one
database at a time.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from time import monotonic

import psycopg2
from psycopg2 import extensions

from collec_migrations import catalog, versions
from collec_migrations.bridge import Severity, differences, history, read_catalog
from collec_migrations.catalog import Catalog
from collec_migrations.errors import MigrationError, ServerFailed, UnknownVersion
from collec_migrations.migrate import verbs
from collec_migrations.migrate.removal import VERSION_ROWS
from collec_migrations.migrate.wrapped_step import ON_A_COPY
from collec_migrations.names import Names
from collec_migrations.postgres import binaries, conninfo, row_digests
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.binaries import Binaries
from collec_migrations.testing import path_report
from collec_migrations.testing.databases import (
    Content,
    Databases,
    options,
    own_server,
    revisions,
    silent,
)
from collec_migrations.testing.path_report import Outcome, Path, ServerResult

Say = Callable[[str], None]
Columns = Mapping[str, row_digests.Columns]
"""Columns by table, by schema."""
Rows = Mapping[str, Counter[str]]
"""Digests of rows by `schema.table`."""
NAMES = Names()
SHOWN = 10
"""Failures shown of one stop."""
BASE = "base"


def chosen_servers(majors: Sequence[int]) -> tuple[Binaries, ...]:
    """Return the binaries of these majors, of all at hand for none.

    Raises `ServerFailed`, naming every major that this machine has not.
    """
    there = {int(one.major): one for one in reversed(tuple(binaries.at_hand()))}
    missing = [str(major) for major in majors if major not in there]
    if missing:
        known = ", ".join(map(str, sorted(there)))
        raise ServerFailed(
            f"no PostgreSQL {', '.join(missing)} on this machine, which has {known or 'none'}",
            hint=f"Install the package postgresql-{missing[0]} of your system.",
        )
    return tuple(there[major] for major in majors or sorted(there))


def chosen_paths(rows: int, only: Sequence[str]) -> tuple[Path, ...]:
    """Return every path through this folder's chain: from nothing, and from each older version.

    `only` restricts the starts. Raises `UnknownVersion` for one that no path starts at.
    """
    *older, head = [one.version for one in revisions()]
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
    with own_server(server) as place, ExitStack() as stack:
        made = Databases(place, stack)
        outcomes = []
        for path in paths:
            outcomes.append(try_path(path, chain, made))
            say(f"PostgreSQL {server.version}: {path_report.progress(outcomes[-1])}")
    return ServerResult(
        server_version=server.version, outcomes=tuple(outcomes), seconds=monotonic() - began
    )


@dataclass(slots=True, kw_only=True)
class PathTest:
    """How far the test of a path has come."""

    outcome: Outcome
    wrapped: str
    """The first wrapped version on the path, or nothing."""
    databases: Databases

    def fail(self, found: Iterable[str]) -> None:
        """Add failures, not more than can be read."""
        sentences = list(found)
        self.outcome.failures += sentences[:SHOWN]
        if len(sentences) > SHOWN:
            self.outcome.failures.append(f"and {len(sentences) - SHOWN} more")

    @contextmanager
    def connected(self, dbname: str) -> Iterator[extensions.connection]:
        """Give a connection to look at a database; it is closed before the next step."""
        address = conninfo.Address(self.databases.server.dsn(dbname))
        with closing(database.connect(address)) as connection:
            yield connection

    def options(self, dbname: str) -> Mapping[str, str]:
        """Return the options of a run."""
        return options(self.databases.server.dsn(dbname), NAMES)

    def upgrade(self, dbname: str) -> None:
        """Go to the newest version, which is then as its facts say."""
        began = monotonic()
        verbs.upgrade(self.options(dbname), self.outcome.path.head, say=silent, remark=ON_A_COPY)
        self.outcome.up = monotonic() - began
        if self.wrapped:
            self.outcome.remarks.append(
                f"there is no way back from {self.wrapped}, which is wrapped"
            )
        self.compare(dbname, self.outcome.path.head)

    def downgrade(self, dbname: str, version: str) -> None:
        """Go back to a version, which is then as its facts say."""
        began = monotonic()
        verbs.downgrade(self.options(dbname), version, say=silent)
        self.outcome.back = monotonic() - began
        if version != BASE:
            self.compare(dbname, version)

    def catalog(self, dbname: str) -> Catalog:
        """Return the facts of a database."""
        with self.connected(dbname) as connection:
            return read_catalog(connection, NAMES)

    def compare(self, dbname: str, version: str) -> None:
        """Add each difference from a version's facts as a failure.

        A wrapped version that has none is compared with what the way from nothing gives.
        """
        if version in versions.VERSIONS:
            expected = versions.upgraded(version)
        elif self.wrapped:
            expected = self.catalog(self.databases.template(Content(version=version)))
        else:
            self.outcome.failures.append(f"{version} has no catalog: run `make facts`")
            return
        found = differences(
            expected=catalog.portable(expected), observed=catalog.portable(self.catalog(dbname))
        )
        self.fail(
            f"at {version}: {one.role}: {one.sentence}"
            for one in found
            if not (self.wrapped and one.severity is Severity.COSMETIC)
        )

    def columns(self, dbname: str) -> Columns:
        """Return the columns of tables whose rows are a user's, by schema."""
        with self.connected(dbname) as connection:
            return {
                schema: {
                    table: names
                    for table, names in row_digests.columns(connection, schema).items()
                    if table not in {*history.TOOL_TABLES, VERSION_ROWS}
                }
                for schema in (NAMES.gacl, NAMES.col)
            }

    def rows(self, dbname: str, columns: Columns) -> Rows:
        """Return the rows of tables, those that are there, by these columns."""
        present = self.columns(dbname)
        with self.connected(dbname) as connection:
            return {
                f"{schema}.{table}": found
                for schema, tables in columns.items()
                for table, found in row_digests.fingerprints(
                    connection, schema, row_digests.common(tables, present[schema])
                ).items()
            }


def try_path(path: Path, chain: tuple[versions.Revision, ...], databases: Databases) -> Outcome:
    """Try one path in a database of its own, and return how it went: errors are failures."""
    done = PathTest(
        outcome=Outcome(path=path), wrapped=_wrapped_after(path.start, chain), databases=databases
    )
    try:
        with ExitStack() as stack:
            if path.start is None:
                _from_nothing(done, databases.clone(None, stack))
                return done.outcome
            dbname = databases.clone(Content(version=path.start, rows=path.rows), stack)
            if done.wrapped:
                _up(done, dbname)
                return done.outcome
            _up_and_back(done, path.start, dbname)
            if path.rows:
                newest = Content(version=path.head, rows=path.rows)
                _back_and_up(done, path.start, databases.clone(newest, stack))
    except MigrationError as error:
        done.outcome.failures.append(f"{error}\n{error.hint}".strip())
    except psycopg2.Error as error:
        done.outcome.failures.append(database.first_line(error))
    return done.outcome


def _up(done: PathTest, dbname: str) -> None:
    """Go to a wrapped version, from which no way leads back: no row may be missing."""
    newest = done.columns(done.databases.template(Content(version=done.outcome.path.head)))
    shared = {
        schema: row_digests.common(tables, newest[schema])
        for schema, tables in done.columns(dbname).items()
    }
    before = done.rows(dbname, shared)
    done.upgrade(dbname)
    after = done.rows(dbname, shared)
    for table, rows in sorted(before.items()):
        then, now = rows.total(), after.get(table, Counter()).total()
        if now < then:
            done.fail([f"{table}: {then - now} of {then} rows are lost"])
    done.outcome.remarks += _lost(before, after)


def _up_and_back(done: PathTest, start: str, dbname: str) -> None:
    """Go to the newest version and back: what a step changed, the step back undoes."""
    own = done.columns(dbname)
    before = done.rows(dbname, own)
    done.upgrade(dbname)
    done.downgrade(dbname, start)
    done.fail(_differing(f"back at {start}", before, done.rows(dbname, own)))


def _back_and_up(done: PathTest, start: str, dbname: str) -> None:
    """Go back with rows in all that the newest version has, and up again: they are as before."""
    taken = done.outcome.up, done.outcome.back
    own = done.columns(dbname)
    before = done.rows(dbname, own)
    done.downgrade(dbname, start)
    done.upgrade(dbname)
    done.outcome.up, done.outcome.back = taken
    done.fail(_differing(f"up again from {start}", before, done.rows(dbname, own)))


def _from_nothing(done: PathTest, dbname: str) -> None:
    done.upgrade(dbname)
    if done.wrapped:
        return
    done.downgrade(dbname, BASE)
    if done.catalog(dbname).facts:
        done.outcome.failures.append("back at nothing: something of the application is left")


def _differing(stop: str, before: Rows, after: Rows) -> Iterator[str]:
    yield from (f"{stop}: {one}" for one in _lost(before, after))
    for table, rows in sorted(after.items()):
        new = (rows - before.get(table, Counter())).total()
        if new:
            yield f"{stop}: {table}: {new} rows are new or changed"


def _lost(before: Rows, after: Rows) -> Iterator[str]:
    for table, rows in sorted(before.items()):
        gone = (rows - after.get(table, Counter())).total()
        if gone:
            yield f"{table}: {gone} of {rows.total()} rows are lost or changed"


def _wrapped_after(start: str | None, chain: tuple[versions.Revision, ...]) -> str:
    """Return the first version after `start` that was wrapped, or nothing."""
    known = [one.version for one in chain]
    beyond = chain[known.index(start) + 1 :] if start else chain
    return next((one.version for one in beyond if one.checksum), "")
