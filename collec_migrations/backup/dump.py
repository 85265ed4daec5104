"""One run: each database into one folder, which gets its name only when it is complete."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from collec_migrations.backup import client_programs, manifest, retention, snapshot, store
from collec_migrations.backup.client_programs import Client, Dump
from collec_migrations.backup.manifest import Manifest
from collec_migrations.backup.retention import Kept, Policy
from collec_migrations.backup.snapshot import Snapshot, open_snapshot
from collec_migrations.backup.store import Backup
from collec_migrations.bridge import history
from collec_migrations.errors import BackupFailed, MigrationError
from collec_migrations.postgres import connection, files, sizes
from collec_migrations.postgres.connection import translated
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.sizes import Advance

LOG = "backup.log"
Say = Callable[[str], None]
Task = Callable[[Manifest], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupOptions:
    """How a backup is to be taken."""

    into: Path
    jobs: int = 1
    bin_dir: Path | None = None
    lock_wait: float = 60.0
    reason: str = store.NIGHTLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A database that was not backed up."""

    database: str
    error: MigrationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did."""

    made: tuple[Manifest, ...]
    failed: tuple[Failure, ...]
    removed: tuple[str, ...]


def run(
    address: Address,
    names: Sequence[str],
    options: BackupOptions,
    policy: Policy | None,
    *,
    after: Sequence[Task] = (),
    say: Say,
    advance: Advance,
) -> Outcome:
    """Back up each of these databases; without a policy nothing is removed.

    A database that fails does not stop the others, and nothing of it is removed. `after` is done
    for each backup; it does not undo one when it fails.
    """
    store.prepare(options.into)
    made: list[Manifest] = []
    failed: list[Failure] = []
    with (
        translated(BackupFailed, "the backup could not be made"),
        store.locked(options.into) as descriptor,
    ):
        log = _logger(options.into, say)
        for line in store.sweep(options.into):
            log(line)
        there = list(store.backups(options.into)[0])
        for name in names:
            log(f"start {name!r}")
            began = monotonic()
            try:
                done = take(
                    client_programs.on_database(address, name),
                    options,
                    there,
                    lock=descriptor,
                    advance=advance,
                )
                made.append(done)
                before = [one for one in there if one.manifest.origin == done.origin
                          and one.manifest.age_key < done.age_key
                          and one.manifest.started > done.started]  # fmt: skip
                there.append(store.Backup(path=options.into / done.id, manifest=done))
                for one in before[:1]:
                    log(f"the clock went back: {one.id} was taken before {done.id}")
                size = sizes.shown(done.size)
                log(f"end {name!r} in {monotonic() - began:.1f} s: {done.id}, {size}")
                for fall in done.falls:
                    log(f"ROWS FELL in {name!r}: {fall}")
                for task in after:
                    task(done)
            except MigrationError as error:
                failed.append(Failure(database=name, error=error))
                hint = f" ({error.hint})" if error.hint else ""
                log(f"FAILED {name!r} after {monotonic() - began:.1f} s: {error}{hint}")
        # Read again: a verification beside this run may have found one damaged meanwhile.
        removed = (
            _remove_expired(store.backups(options.into)[0], policy, made, log) if policy else ()
        )
    return Outcome(made=tuple(made), failed=tuple(failed), removed=removed)


def databases(
    address: Address, *, database: str | None = None, all_of_them: bool = False, say: Say = print
) -> tuple[str, ...]:
    """Return the databases that were asked for: one, all, or the one of the address.

    All: no templates. A database that refuses connections, as one whose `drop database` was
    interrupted (datconnlimit -2, PostgreSQL 15.4), is left out and told.
    """
    if database and not all_of_them:
        return (database,)
    with (
        translated(BackupFailed, "the databases could not be read"),
        closing(connection.connect(address)) as session,
        session.cursor() as cursor,
    ):
        if not all_of_them:
            return (str(session.info.dbname),)
        cursor.execute(
            "select datname, datallowconn and datconnlimit <> -2 from pg_database"
            " where not datistemplate order by datname"
        )
        found = [(str(name), is_open) for name, is_open in cursor.fetchall()]
    for name, is_open in found:
        if not is_open:
            say(f"left out {name!r}: it does not accept connections")
    return tuple(name for name, is_open in found if is_open)


def _remove_expired(
    there: Sequence[Backup], policy: Policy, made: Sequence[Manifest], log: Say
) -> tuple[str, ...]:
    """Remove what the policy no longer needs beside these; the caller holds the lock.

    Nothing of a database whose rows fell, until somebody looked, and never what was just made.
    """
    removed = []
    just_made = {one.id for one in made}
    its = [one for one in there if one.manifest.origin in {made_one.origin for made_one in made}]
    for one in {one.manifest.origin: one for one in its if one.is_fallen}.values():
        log(
            f"nothing of {one.manifest.database!r} is removed: the rows fell in {one.id}; "
            "look at it, then: collec-migrations backup prune --yes"
        )
    for one in _no_longer_needed(its, retention.settled(one.kept for one in its), policy):
        if one.id in just_made:
            continue
        why = store.remove(one.path.parent, one.id)
        if why:
            log(f"kept {one.id}: {why}")
        else:
            removed.append(one.id)
            log(f"removed {one.id}")
    return tuple(removed)


def expired(there: Sequence[Backup], policy: Policy) -> tuple[Backup, ...]:
    """Return the backups that a policy no longer needs."""
    return _no_longer_needed(there, [one.kept for one in there], policy)


def _no_longer_needed(
    there: Sequence[Backup], counted: Sequence[Kept], policy: Policy
) -> tuple[Backup, ...]:
    ids = retention.to_remove(counted, policy, now=datetime.now().astimezone())
    return tuple(one for id_ in ids for one in there if one.id == id_)


def log_failure(folder: Path, error: MigrationError, say: Say) -> None:
    """Write into the log of a folder that a run did not come to its first database."""
    store.prepare(folder)
    _logger(folder, say)(f"FAILED before the first database: {error}")


def _logger(folder: Path, say: Say) -> Say:
    """Return a function that writes a line into the log of a folder, and tells it."""

    def log(line: str) -> None:
        say(line)
        stamp = datetime.now().astimezone().isoformat(timespec="seconds")
        # A disk without room for a line must not stop the run: it was told all the same.
        with suppress(OSError):
            files.append(folder / LOG, f"{stamp} {line}\n")

    return log


def take(
    address: Address,
    options: BackupOptions,
    there: Sequence[Backup],
    *,
    lock: int,
    advance: Advance,
) -> Manifest:
    """Back up the database of an address; raise `BackupFailed`, and leave nothing that counts.

    `there` are the backups that the folder holds.
    """
    started = datetime.now(UTC)
    with (
        translated(BackupFailed, "the backup could not be made"),
        open_snapshot(address, lock_wait=options.lock_wait) as found,
    ):
        chosen = client_programs.for_server(found.server_major, options.bin_dir)
        its = found.properties
        origin = (found.system_identifier, its.name)
        expected = _expected(options.into, there, found)
        name = store.new_id(options.into, its.name, started)
        with (
            _partial(options.into / f"{name}{store.PARTIAL}") as partial,
            client_programs.connecting(client_programs.on_database(address, its.name)) as client,
        ):
            dump = Dump(
                tools=chosen,
                folder=partial,
                compression=client_programs.compression(
                    chosen,
                    # Documents hardly become smaller; the copy of a rehearsal is read once.
                    quick=found.is_mostly_documents or options.reason == store.REHEARSAL,
                ),
                snapshot=found.snapshot,
                jobs=options.jobs,
                lock_wait=options.lock_wait,
            )
            with client_programs.dumping(dump, client, lock=lock) as process:
                # The dump shows the snapshot of our transaction: rows are counted beside it.
                rows = snapshot.count_rows(found.connection, [one.name for one in found.tables])
                client_programs.wait_for_dump(process, dump, client, expected, advance)
            left_out = _write_surroundings(dump, client, found, lock)
            schemas = snapshot.schemas(found.connection)
            sound = store.last_of(there, origin, accepted=True)
            written = Manifest(
                id=name,
                database=its.name,
                reason=options.reason,
                started=started,
                finished=datetime.now(UTC),
                tool_version=history.tool_version(),
                server_version=found.server_version,
                client_version=chosen.version,
                archive=dump.form,
                compression=dump.compression,
                encoding=found.encoding,
                database_size=found.size,
                extensions=found.extensions,
                schemas=schemas,
                rows=rows,
                large_objects=found.large_objects,
                passwords=found.sees_passwords,
                left_out=left_out,
                files=manifest.describe(partial),
                system_identifier=found.system_identifier,
                server=found.server,
                position=found.position,
                collate=found.collate,
                ctype=found.ctype,
                settings=its.settings,
                falls=tuple(
                    retention.falls(
                        sound.manifest.rows, rows, same_version=sound.manifest.schemas == schemas
                    )
                )
                if sound
                else (),
            )
            _complete(partial, options.into / name, written)
    return written


@contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """Give a new folder, which is gone at the end unless it was renamed."""
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _expected(into: Path, there: Sequence[Backup], found: Snapshot) -> int:
    """Return the size that the backup may have, after seeing that there is room for it."""
    last = store.last_of(there, (found.system_identifier, found.properties.name))
    previous = last.manifest.size if last else None
    most = snapshot.first_size(found.tables, found.large_bytes)
    bytes_needed = snapshot.space_needed(previous=previous, first=most)
    snapshot.check_space(into, bytes_needed, what=f"a backup of {found.properties.name!r}")
    return previous or most


def _write_surroundings(dump: Dump, client: Client, found: Snapshot, lock: int) -> tuple[str, ...]:
    """Write what pg_dump does not bring back; return the files that could not be read."""
    roles = snapshot.globals_of(
        dump.tools, client, found.properties.name, passwords=found.sees_passwords, lock=lock
    )
    manifest.write_synced(dump.folder / store.GLOBALS, roles)
    properties = json.dumps(asdict(found.properties), indent=1, ensure_ascii=False)
    manifest.write_synced(dump.folder / store.DATABASE, properties.encode())
    files_of_it, left_out = snapshot.configuration(found.connection)
    for path, content in files_of_it:
        copy = dump.folder / store.FILES / path.lstrip("/")
        store.make_private(copy.parent)
        manifest.write_synced(copy, content)
    return left_out


def _complete(partial: Path, folder: Path, written: Manifest) -> None:
    """Bring everything to the disk, then give the folder its name."""
    for path in (*partial.rglob("*"), partial):
        files.sync(path)
    manifest.write(partial, written)
    # Only root comes in until now; the folder itself last, so that nobody lays a link before.
    store.give_to_owner_of(folder.parent, *partial.rglob("*"), partial)
    files.sync(partial)
    partial.rename(folder)
    files.sync(folder.parent)


def analyze(address: Address) -> None:
    """Let the server count what its planner needs to know."""
    with (
        translated(BackupFailed, "ANALYZE failed"),
        closing(connection.connect(address)) as session,
        session.cursor() as cursor,
    ):
        cursor.execute("analyze")
        session.commit()
