"""Adopt, upgrade and verify a copy, and measure it."""

import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import psycopg2
from psycopg2 import extensions

from collec_migrations import bridge, versions
from collec_migrations.backup import dump, snapshot, store, trial_restore
from collec_migrations.backup.dump import BackupOptions
from collec_migrations.backup.rehearsal_report import Findings, Held, Measures, Step, Table
from collec_migrations.backup.store import Backup
from collec_migrations.bridge import Answer, Difference, Severity, history
from collec_migrations.errors import BackupFailed, Interrupted, MigrationError
from collec_migrations.migrate import chain, verbs
from collec_migrations.migrate.wrapped_step import ON_A_COPY
from collec_migrations.names import Names
from collec_migrations.postgres import connection as database
from collec_migrations.postgres import conninfo, files, pg_versions, programs, signals, throwaway
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.connection import translated
from collec_migrations.postgres.throwaway import KeptServer
from collec_migrations.sql import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy to rehearse on."""

    address: Address
    source: str
    server_version: str
    seconds: float
    """How long it took to make."""
    left_out: tuple[str, ...] = ()
    """What of the backup is not in it: only a superuser may restore that."""


@contextmanager
def _connected(copy: Copy) -> Iterator[extensions.connection]:
    """Give a connection to the copy."""
    with closing(database.connect(conninfo.Address(copy.address.dsn))) as connection:
        yield connection


def _measure(copy: Copy, pairs: Sequence[Names]) -> Measures:
    """Return versions, size and place in the log."""
    with _connected(copy) as connection, connection.cursor() as cursor:
        place = pg_versions.text("fn_current_lsn", pg_versions.of(connection.server_version))
        cursor.execute(f"select pg_database_size(current_database()), {place}() - '0/0'::pg_lsn")
        size, wal = cursor.fetchone() or (0, 0)
        seen = [(names.col, bridge.detect(connection, names)) for names in pairs]
    versions = tuple((col, one.version or str(one.answer)) for col, one in seen)
    return Measures(versions=versions, size=int(size), wal=int(wal))


def _count_rows(copy: Copy) -> dict[int, tuple[str, int]]:
    """Return name and number of rows of each table, by its oid."""
    with _connected(copy) as connection, connection.cursor() as cursor:
        counted = snapshot.count_rows(connection, [one.name for one in snapshot.tables(connection)])
        cursor.execute("select name, name::regclass::oid from unnest(%s) name", (list(counted),))
        return {int(oid): (name, counted[name]) for name, oid in cursor.fetchall()}


def _compare(
    before: dict[int, tuple[str, int]], after: dict[int, tuple[str, int]]
) -> Iterator[Table]:
    """Yield what became of each table that was there."""
    for oid, (name, rows) in sorted(before.items(), key=lambda one: one[1][0]):
        later, rows_later = after.get(oid, ("", 0))
        yield Table(before=name, after=later, rows_before=rows, rows_after=rows_later)


def _differences(copy: Copy, pairs: Sequence[Names]) -> tuple[Difference, ...]:
    """Return the differences that matter from the version that each pair is at.

    None for a version that no facts are known of: a rehearsal is to see what a script gives.
    """
    with _connected(copy) as connection, connection.cursor() as cursor:
        known = [
            names
            for names in pairs
            if not bridge.is_later(history.recorded_version(cursor, names.col) or "")
        ]
        return tuple(
            one
            for names in known
            for one in bridge.verify(connection, names).differences
            if one.severity is not Severity.COSMETIC
        )


def _steps(copy: Copy, pairs: Sequence[Names], since: datetime) -> Iterator[Step]:
    """Yield the versions that were applied since a moment."""
    with _connected(copy) as connection, connection.cursor() as cursor:
        for names in pairs:
            for row in history.read(cursor, names.col):
                if row.kind == "applied" and row.version and row.started and row.started >= since:
                    seconds = row.duration.total_seconds()
                    yield Step(schema=names.col, version=row.version, seconds=seconds)


class _Timed:
    """Keeps how long each script took: of a run that fails the history is rolled back."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.seconds: dict[str, float] = {}

    def begin(self, shown: str, statement: Statement) -> None:  # noqa: ARG002
        self.seconds.setdefault(shown, 0.0)
        self.shown, self.since = shown, monotonic()

    def end(self, shown: str, statement: Statement, seconds: float) -> None:  # noqa: ARG002
        self.seconds[shown] += seconds
        self.shown = ""

    def steps(self, pairs: Sequence[Names]) -> Iterator[Step]:
        """Yield the versions whose scripts ran, the one that failed last."""
        schemas = ", ".join(names.col for names in pairs)
        for shown, seconds in self.seconds.items():
            lost = monotonic() - self.since if shown == self.shown else 0.0
            version = Path(shown).stem.rpartition("-")[2]
            yield Step(schema=schemas, version=version, seconds=seconds + lost)


Say = Callable[[str], None]


def check_target(version: str) -> None:
    """Raise `UnknownVersion` for what is no version of the chain, before anything is copied."""
    chain.check_version(version, versions.in_chain())


@contextmanager
def new_backup(address: conninfo.Address, scratch: Path | None) -> Iterator[Backup]:
    """Give a backup of a database for this block; the database is only read."""
    with files.temporary_folder(scratch) as folder:
        names = dump.databases(address)
        options = BackupOptions(into=folder, reason=store.REHEARSAL)
        outcome = dump.run(
            address, names, options, None, say=lambda _: None, advance=lambda _done, _total: None
        )
        for failure in outcome.failed:
            raise failure.error
        yield store.load(folder / outcome.made[0].id)


@contextmanager
def stored_backup(folder: Path, id: str) -> Iterator[Backup]:  # noqa: A002  (as the command line calls it)
    """Give a backup, whole, that nobody removes in this block; raise `Damaged` if it is not."""
    backup = store.find(folder, id)
    with ExitStack() as stack:
        with translated(BackupFailed, f"{backup.id} could not be read"):
            stack.enter_context(store.reading(backup.path))
            store.refuse_damaged(backup)
        yield backup


@contextmanager
def temporary_copy(backup: Backup, scratch: Path | None) -> Iterator[Copy]:
    """Give a copy that is gone at the end."""
    chosen, began = trial_restore.server_for(backup.manifest), monotonic()
    with trial_restore.restored(backup, chosen, scratch) as (address, left_out):
        yield _copy(address, backup, chosen.version, began, left_out)


def kept_copy(backup: Backup, scratch: Path | None) -> tuple[Copy, KeptServer]:
    """Make a copy that stays, on a server of its own."""
    chosen, began = trial_restore.server_for(backup.manifest), monotonic()
    trial_restore.check_room(backup, scratch)
    server = throwaway.keep(chosen, scratch)
    try:
        address, left_out = trial_restore.fill(backup, chosen, server.address)
    except BaseException:
        subprocess.run(
            ("/bin/sh", "-c", server.ending),
            capture_output=True,
            check=False,
            env=programs.environment(),
        )
        raise
    return _copy(address, backup, chosen.version, began, left_out), server


def rehearse(copy: Copy, target: str, named: Sequence[Names] = (), *, say: Say) -> Findings:
    """Bring the copy to a version as `adopt` and `upgrade` do, and return what was found out."""
    pairs = tuple(named) or _found(copy)
    before, tables = _measure(copy, pairs), _count_rows(copy)
    began, seconds, refusal, hint = datetime.now(UTC), 0.0, "", ""
    drift: tuple[Difference, ...] = ()
    archived: tuple[str, ...] = ()
    repairs, adopted = Counter[str](), False
    timed = _Timed()
    with watched(copy.address.dsn, list(tables)) as seen:
        try:
            drift = _differences(copy, pairs)
            adopted = _adopt(copy, pairs, repairs)
            archived = tuple(_archived(copy, pairs, target, say))
            start = monotonic()
            try:
                for options in _options(copy, pairs):
                    verbs.upgrade(options, target, say=say, remark=ON_A_COPY, progress=timed)
            finally:
                seconds = monotonic() - start
        except MigrationError as error:
            if isinstance(ended := signals.explained(error), Interrupted):
                raise ended from error
            refusal, hint = str(error), error.hint
    steps = tuple(timed.steps(pairs) if refusal else _steps(copy, pairs, began))
    after = () if refusal else _differences(copy, pairs)
    known = set(map(_place, drift))
    left = tuple(one for one in after if _place(one) not in known)
    broken = [one for one in left if one.severity is Severity.BREAKS]
    if broken:
        refusal, hint = "the upgraded copy is not what its version should be", broken[0].sentence
    return Findings(
        source=copy.source,
        left_out=copy.left_out,
        server_version=copy.server_version,
        target=target,
        refusal=refusal,
        hint=hint,
        before=before,
        after=_measure(copy, pairs),
        copying=copy.seconds,
        seconds=seconds,
        adopted=adopted,
        repaired=dict(repairs),
        steps=steps,
        held=_held(seen, {oid: name for oid, (name, _) in tables.items()}),
        drift=drift,
        left=left,
        same=tuple(one for one in after if _place(one) in known),
        tables=tuple(_compare(tables, _count_rows(copy))),
        archived=archived,
    )


def _copy(
    address: Address, backup: Backup, version: str, began: float, left_out: tuple[str, ...]
) -> Copy:
    about = backup.manifest
    origin = f"database {about.database!r}"
    if about.reason != store.REHEARSAL:
        origin = f"backup {backup.id} of {origin}"
    return Copy(
        address=address,
        source=origin,
        server_version=version,
        seconds=monotonic() - began,
        left_out=left_out,
    )


def _found(copy: Copy) -> tuple[Names, ...]:
    with _connected(copy) as connection:
        return bridge.find(connection).pairs or (Names(),)


def _place(one: Difference) -> tuple[str, ...]:
    """Return what a difference is of, by the newest names: a step may rename its table."""
    name = one.name
    for version in versions.BUILT_IN:
        renamed = versions.declared(version).renames
        table, dot, rest = name.partition(".")
        rest = renamed.get(f"{one.role}.{table}.{rest}", rest)
        name = renamed.get(f"{one.role}.{table}", table) + dot + rest
    return one.role, one.kind, name, one.state


def _adopt(copy: Copy, pairs: Sequence[Names], repairs: Counter[str]) -> bool:
    """Adopt what Alembic does not know, as `adopt` does; tell whether there was any."""
    done = False
    with _connected(copy) as connection:
        for names in pairs:
            with connection.cursor() as cursor:
                recorded = history.recorded_version(cursor, names.col)
            if recorded is None and bridge.detect(connection, names).answer != Answer.EMPTY:
                repairs.update(bridge.adopt(connection, names).counts)
                connection.commit()
                done = True
    return done


def _options(copy: Copy, pairs: Sequence[Names]) -> Iterator[dict[str, str]]:
    """Yield the options of one upgrade for each rights schema, with its data schemas."""
    for gacl in dict.fromkeys(names.gacl for names in pairs):
        cols = [names.col.replace('"', '""') for names in pairs if names.gacl == gacl]
        quoted = ",".join(f'"{col}"' for col in cols)
        yield {"url": copy.address.url, "gacl": gacl, "col": quoted}


def _archived(copy: Copy, pairs: Sequence[Names], target: str, say: Say) -> Iterator[str]:
    for options in _options(copy, pairs):
        for pair in verbs.plan(options, target, say=say).pairs:
            for one in filter(lambda it: it.rows, pair.archived):
                what = f"{one.table}.{one.column}" if one.column else one.table
                yield f"{what}: {one.rows} {'values' if one.column else 'rows'}"


PAUSE = 0.02
"""Seconds between two looks. A run in one transaction keeps its locks to the end."""
STOPS_ALL = "AccessExclusiveLock"
MODES = (STOPS_ALL, "ExclusiveLock", "ShareRowExclusiveLock", "ShareLock")
QUERY = """
select l.relation, l.mode from pg_locks l
where l.granted and l.locktype = 'relation' and l.mode = any (%s) and l.relation = any (%s::oid[])
  and l.pid <> pg_backend_pid()
  and l.database = (select oid from pg_database where datname = current_database())
"""


Seen = dict[tuple[int, bool], tuple[float, float]]
"""When a lock was seen first and last: by table, and whether it stops those who read."""


def _held(seen: Seen, names: Mapping[int, str]) -> tuple[Held, ...]:
    """Return each table once, by its strongest lock; the longest first."""
    found = [
        Held(table=names[relation], stops_reading=stops_reading, seconds=last - first)
        for (relation, stops_reading), (first, last) in seen.items()
        if stops_reading or (relation, True) not in seen
    ]
    return tuple(sorted(found, key=lambda one: (-one.seconds, one.table)))


@contextmanager
def watched(dsn: str, relations: list[int]) -> Iterator[Seen]:
    """Look at the locks of a database, on a connection of its own, while a block runs."""
    seen: Seen = {}
    over = threading.Event()
    with closing(database.connect(conninfo.Address(dsn))) as connection:
        connection.autocommit = True

        def look() -> None:
            with connection.cursor() as cursor:
                while not over.wait(PAUSE):
                    try:
                        cursor.execute(QUERY, (list(MODES), relations))
                    except psycopg2.Error:
                        return
                    now = monotonic()
                    for relation, mode in cursor.fetchall():
                        key = (relation, mode == STOPS_ALL)
                        seen[key] = (seen.get(key, (now, now))[0], now)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()
