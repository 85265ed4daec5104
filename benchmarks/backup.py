"""Backups and clones, by this tool and by others, in one run: seconds and bytes.

Run it alone with: python -m benchmarks --only backup,documents [--documents MEGABYTES] [--debian]

`--debian`, as root, makes the cluster `15 bench` for the run, since pg_backupcluster takes
clusters of /etc/postgresql alone, and drops it afterwards.
"""

import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg2

from benchmarks import peers
from benchmarks.measuring import Measurement, timed
from benchmarks.upgrade import alembic, database, dropped
from collec_migrations.backup import client_programs, dump, store, trial_restore
from collec_migrations.backup.dump import BackupOptions
from collec_migrations.names import Names
from collec_migrations.postgres import binaries, conninfo, sizes
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.throwaway import throwaway
from collec_migrations.testing import sample_data

DOCUMENT = 1 << 20
CLUSTER = ("15", "bench")
DEBIAN = Path("/var/backups/postgresql/15-bench")


def of_movements(server: Address, template: Address, movements: int) -> Iterator[Measurement]:
    """Yield a backup, its proof and a clone of a filled database, by whole processes."""
    ours, dsn = shlex.quote(peers.ours("collec-migrations")), shlex.quote(template.dsn)
    dump, restore, psql = (
        shlex.quote(str(binaries.embedded().program(name)))
        for name in ("pg_dump", "pg_restore", "psql")
    )
    works = (
        ("backup", "collec-migrations backup run", f"{ours} backup run --into o --url {dsn}"),
        ("backup", "pg_dump -Fc", f"{dump} -Fc -d {dsn} -f c"),
        ("backup", "pg_dump, piped to gzip -9", f"{dump} -d {dsn} | gzip -9 >z"),
        ("prove a backup", "collec-migrations backup verify",
         f"{ours} backup verify last --into o"),
        ("prove a backup", "pg_restore by hand", f"{restore} -1 -d TARGET c"),
        ("clone", "create database template", f"{psql} -Xqc 'drop database TARGET_NAME' "
         f"-c 'create database TARGET_NAME template {template.dbname}' SERVER"),
        ("clone", "pg_dump, piped to psql", f"{dump} -d {dsn} | {psql} -Xq -1 -o out TARGET"),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="collec-bench-") as folder:
        for what, way, command in works:
            target = database(server, "target")
            words = command.replace("TARGET_NAME", "target")
            words = words.replace("TARGET", shlex.quote(target.dsn))
            words = words.replace("SERVER", shlex.quote(server.dsn))
            before = sizes.of_folder(Path(folder))
            seconds = timed(partial(shell, words, Path(folder)))
            grown = sizes.of_folder(Path(folder)) - before
            yield Measurement(
                group="backup",
                what=what,
                way=way,
                movements=movements,
                seconds=seconds,
                bytes=grown if what == "backup" else None,
            )
            dropped(server, target)


def documents(megabytes: int, *, debian: bool) -> Iterator[Measurement]:
    """Yield the ways to back up a database that is mostly documents, one run each."""
    found = {one.major: one for one in binaries.at_hand()}
    chosen = found.get(15) or binaries.embedded()
    with (
        cluster() if debian else throwaway(chosen, settings={}) as server,
        tempfile.TemporaryDirectory(prefix="collec-bench-") as folder,
    ):
        full = database(server, "filled")
        fill(full, megabytes)
        yield from measured(full, tools_of(chosen.bin_dir), Path(folder))
        yield from backupcluster(server) if debian else ()


@contextmanager
def cluster() -> Iterator[Address]:
    """Give a cluster of Debian's own, reached by root and its owner alone."""
    door = Path(tempfile.mkdtemp(prefix="collec-bench-"))
    shutil.chown(door, "postgres", "postgres")
    made = ("pg_createcluster", "-s", str(door), "--start", *CLUSTER, "--", "--auth-local=trust")
    try:
        shell(shlex.join(made), Path("/"))
        port = next(door.glob(".s.PGSQL.*[0-9]")).suffix.lstrip(".")
        yield Address(host=str(door), port=int(port), user="postgres", dbname="postgres")
    finally:
        shell(shlex.join(("pg_dropcluster", "--stop", *CLUSTER)), Path("/"))
        shutil.rmtree(DEBIAN, ignore_errors=True)
        with suppress(OSError):  # made by the first use of pg_backupcluster
            DEBIAN.parent.rmdir()
        shutil.rmtree(door, ignore_errors=True)


def backupcluster(server: Address) -> Iterator[Measurement]:
    """Yield Debian's own ways: a dump of all databases, and a base backup."""
    shell(shlex.join(("pg_backupcluster", *CLUSTER, "createdirectory")), Path("/"))
    for way in ("dump", "basebackup"):
        # Its pg_basebackup waits for a spread checkpoint, minutes when there is much to write.
        checkpoint(server)
        command = shlex.join(("pg_backupcluster", *CLUSTER, way))
        before = sizes.of_folder(DEBIAN)
        row = measurement(f"pg_backupcluster {way}", DEBIAN, partial(shell, command, Path("/")))
        yield replace(row, bytes=(row.bytes or 0) - before)


def fill(address: Address, megabytes: int) -> None:
    """Install 1.1 with a laboratory, and documents of a megabyte that hardly compress."""
    alembic(address, "1.1")
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        sample_data.fill(connection, Names(), movements=20_000)
        cursor.execute("select uid from col.object order by uid limit 1")
        (uid,) = cursor.fetchone() or (0,)
        for number in range(megabytes):
            cursor.execute(
                "insert into col.document (uid, mime_type_id, document_name, data,"
                " document_import_date) values (%s, 1, %s, %s, now())",
                (uid, f"document {number}.pdf", os.urandom(DOCUMENT)),
            )
        connection.commit()
    checkpoint(address)


def checkpoint(server: Address) -> None:
    """Let the server write what it has in memory."""
    with closing(psycopg2.connect(server.dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("checkpoint")


def measured(
    address: Address, its: client_programs.Programs, folder: Path
) -> Iterator[Measurement]:
    """Yield each way, the same database."""
    dump, dsn = shlex.quote(its.program("pg_dump")), shlex.quote(address.dsn)
    ours = {
        "collec-migrations backup run": 1,
        "collec-migrations backup run --jobs 2": 2,
    }
    for way, jobs in ours.items():
        into = folder / f"jobs{jobs}"
        yield measurement(way, into, partial(run, address, into, jobs))
        (one,) = store.backups(into)[0]
        yield measurement(f"{way}, verified", None, partial(trial_restore.verify, one))
    shells = {"pg_dump -Fd -j2": f"{dump} -d {dsn} -Fd -j2 -f out"}
    shells |= {"pg_dump, piped to gzip -9": f"{dump} -d {dsn} --blobs | gzip -9 -c >out"}
    shells |= {"pg_dump -Fc, gzip 1": f"{dump} -d {dsn} -Fc -Z1 -f out"}
    shells |= {"pg_dump -Fd -j2, gzip 1": f"{dump} -d {dsn} -Fd -j2 -Z1 -f out"}
    if its.has_zstd():
        shells["pg_dump -Fc, zstd 3"] = f"{dump} -d {dsn} -Fc -Zzstd:3 -f out"
    for number, (way, command) in enumerate(shells.items()):
        place = folder / f"plain{number}"
        place.mkdir()
        yield measurement(way, place, partial(shell, command, place))
        shutil.rmtree(place)


def run(address: Address, into: Path, jobs: int) -> None:
    """Back up by this tool."""
    done = dump.run(
        conninfo.Address(address.dsn),
        [address.dbname],
        BackupOptions(into=into, jobs=jobs),
        None,
        say=lambda _: None,
        advance=lambda _done, _total: None,
    )
    assert done.made, done.failed


def shell(command: str, folder: Path) -> None:
    """Run a command as a site's script does."""
    peers.run(["/bin/sh", "-c", command], folder)


def measurement(way: str, folder: Path | None, work: Callable[[], object]) -> Measurement:
    """Return what one way took."""
    seconds = timed(work)
    size = sizes.of_folder(folder) if folder else None
    return Measurement(
        group="documents", what="a database of documents", way=way, seconds=seconds, bytes=size
    )


def tools_of(bin_dir: Path) -> client_programs.Programs:
    """Return the dump programs of a folder."""
    found = client_programs.in_folder(bin_dir)
    assert found is not None
    return found
