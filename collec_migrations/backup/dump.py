"""Take one database into one folder, which gets its name only when it is complete."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from collec_migrations.backup import (
    contents,
    dump_programs,
    libpq_environment,
    manifest,
    pg_dump,
    retention,
    server_files,
    space,
    store,
)
from collec_migrations.backup.contents import Source
from collec_migrations.backup.libpq_environment import Door
from collec_migrations.backup.manifest import Manifest
from collec_migrations.backup.pg_dump import Dump
from collec_migrations.bridge.history import tool_version
from collec_migrations.errors import BackupFailed
from collec_migrations.postgres import atomic_files
from collec_migrations.postgres.connection import translated
from collec_migrations.postgres.conninfo import Address
from collec_migrations.postgres.sizes import Advance

GLOBALS = "globals.sql"
DATABASE = "database.json"
FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a backup is to be taken."""

    into: Path
    jobs: int = 1
    bin_dir: Path | None = None
    lock_wait: float = 60.0
    reason: str = store.NIGHTLY


def take(address: Address, wish: Wish, *, lock: int, advance: Advance) -> Manifest:
    """Back up the database of an address; raise `BackupFailed`, and leave nothing that counts."""
    started = datetime.now(UTC)
    with (
        translated(BackupFailed, "the backup could not be made"),
        contents.opened(address, lock_wait=wish.lock_wait) as found,
    ):
        chosen = dump_programs.for_server(found.server_major, wish.bin_dir)
        expected = _expected(wish.into, found)
        name = store.new_id(wish.into, found.around.name, started)
        with (
            _partial(wish.into / f"{name}{store.PARTIAL}") as partial,
            libpq_environment.door(libpq_environment.to(address, found.around.name)) as door,
        ):
            dump = Dump(
                tools=chosen,
                folder=partial,
                compression=dump_programs.compression(chosen),
                snapshot=found.snapshot,
                jobs=wish.jobs,
                lock_wait=wish.lock_wait,
            )
            with pg_dump.running(dump, door, lock=lock) as process:
                # The dump shows the snapshot of our transaction: rows are counted beside it.
                rows = contents.rows(found)
                pg_dump.wait(process, dump, door, expected, advance)
            left_out = _write_surroundings(dump, door, found, lock)
            falls = _falls(wish.into, found, rows)
            written = _manifest(name, started, wish.reason, dump, found, rows, left_out, falls)
            _complete(partial, wish.into / name, written)
    return written


@contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """Give a new folder, which is gone at the end unless it was renamed."""
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _expected(into: Path, found: Source) -> int:
    """Return the size that the backup may have, after seeing that there is room for it."""
    last = store.last_of(into, (found.system_identifier, found.around.name))
    previous = last.manifest.size if last else None
    most = space.first(found.tables, found.large_bytes)
    bytes_needed = space.needed(previous=previous, first=most)
    space.check(into, bytes_needed, what=f"a backup of {found.around.name!r}")
    return previous or most


def _write_surroundings(dump: Dump, door: Door, found: Source, lock: int) -> tuple[str, ...]:
    """Write what pg_dump does not bring back; return the files that could not be read."""
    roles = server_files.globals_of(
        dump.tools, door, found.around.name, passwords=found.sees_passwords, lock=lock
    )
    manifest.write_synced(dump.folder / GLOBALS, roles)
    around = json.dumps(asdict(found.around), indent=1, ensure_ascii=False)
    manifest.write_synced(dump.folder / DATABASE, around.encode())
    configuration = server_files.configuration(found.connection)
    for path, content in configuration.files:
        copy = dump.folder / FILES / path.lstrip("/")
        store.make_private(copy.parent)
        manifest.write_synced(copy, content)
    return configuration.left_out


def _falls(into: Path, found: Source, rows: dict[str, int]) -> tuple[str, ...]:
    """Return where the rows fell since the last backup that was sound and had not fallen."""
    before = store.last_of(into, (found.system_identifier, found.around.name), accepted=True)
    if before is None:
        return ()
    same = before.manifest.schemas == contents.schemas(found.connection)
    return tuple(retention.falls(before.manifest.rows, rows, same_version=same))


def _manifest(
    name: str,
    started: datetime,
    reason: str,
    dump: Dump,
    found: Source,
    rows: dict[str, int],
    left_out: tuple[str, ...],
    falls: tuple[str, ...],
) -> Manifest:
    return Manifest(
        id=name,
        database=found.around.name,
        reason=reason,
        started=started,
        finished=datetime.now(UTC),
        tool_version=tool_version(),
        server_version=found.server_version,
        client_version=dump.tools.version,
        archive=dump.form,
        compression=dump.compression,
        encoding=found.encoding,
        database_size=found.size,
        extensions=found.extensions,
        schemas=contents.schemas(found.connection),
        rows=rows,
        large_objects=found.large_objects,
        passwords=found.sees_passwords,
        left_out=left_out,
        files=manifest.describe(dump.folder),
        system_identifier=found.system_identifier,
        server=found.server,
        position=found.position,
        collate=found.collate,
        ctype=found.ctype,
        falls=falls,
    )


def _complete(partial: Path, folder: Path, written: Manifest) -> None:
    """Bring everything to the disk, then give the folder its name."""
    for path in (*partial.rglob("*"), partial):
        atomic_files.sync(path)
    manifest.write(partial, written)
    # Only root comes in until now; the folder itself last, so that nobody lays a link before.
    store.give_to_owner_of(folder.parent, *partial.rglob("*"), partial)
    atomic_files.sync(partial)
    partial.rename(folder)
    atomic_files.sync(folder.parent)
