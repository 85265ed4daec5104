"""Backups of one database, by this tool and by others, in one run: seconds and bytes.

Run it with: python -m benchmarks.backup [MEGABYTES] [--debian]

100 MB by default. `--debian`, as root, makes the cluster `15 bench` for the run, since
pg_backupcluster takes clusters of /etc/postgresql alone, and drops it afterwards.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psycopg2

from benchmarks.upgrade import alembic, database
from collec_migrations import addresses, laboratory
from collec_migrations.backup import running, space, store, tools, trial
from collec_migrations.backup.dump import Wish
from collec_migrations.names import Names
from collec_migrations.server import binaries
from collec_migrations.server.address import Address
from collec_migrations.server.throwaway import throwaway

DOCUMENT = 1 << 20
CLUSTER = ("15", "bench")
DEBIAN = Path("/var/backups/postgresql/15-bench")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way to back up."""

    way: str
    seconds: float
    size: int | None

    def __str__(self) -> str:
        size = space.shown(self.size) if self.size is not None else ""
        return f"| {self.way} | {self.seconds:.1f} s | {size} |"


def main(arguments: Sequence[str]) -> None:
    """Measure on a server that writes as a real one does, and print a table."""
    numbers = [int(word) for word in arguments if word.isdigit()]
    debian = "--debian" in arguments
    found = {one.major: one for one in binaries.at_hand()}
    chosen = found.get(15) or binaries.embedded()
    with (
        cluster() if debian else throwaway(chosen, settings={}) as server,
        tempfile.TemporaryDirectory(prefix="collec-bench-") as folder,
    ):
        filled = database(server, "filled")
        fill(filled, numbers[0] if numbers else 100)
        rows = list(measured(filled, tools_of(chosen.bin_dir), Path(folder)))
        rows += list(backupcluster(server)) if debian else []
        size = _size(filled)
    write = sys.stdout.write
    write(f"PostgreSQL {chosen.version}, database of {space.shown(size)}, one run each\n\n")
    write("| way | time | size |\n|---|---|---|\n" + "".join(f"{row}\n" for row in rows))
    if not debian:
        write("\npg_backupcluster was not measured: add --debian, as root\n")


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


def backupcluster(server: Address) -> Iterator[Row]:
    """Yield Debian's own ways: a dump of all databases, and a base backup."""
    shell(shlex.join(("pg_backupcluster", *CLUSTER, "createdirectory")), Path("/"))
    for way in ("dump", "basebackup"):
        # Its pg_basebackup waits for a spread checkpoint, minutes when there is much to write.
        checkpoint(server)
        command = shlex.join(("pg_backupcluster", *CLUSTER, way))
        before = space.of_folder(DEBIAN)
        row = timed(f"pg_backupcluster {way}", DEBIAN, partial(shell, command, Path("/")))
        yield replace(row, size=(row.size or 0) - before)


def fill(address: Address, megabytes: int) -> None:
    """Install 1.1 with a laboratory, and documents of a megabyte that hardly compress."""
    alembic(address, "1.1")
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        laboratory.fill(connection, Names(), movements=20_000)
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


def measured(address: Address, its: tools.Tools, folder: Path) -> Iterator[Row]:
    """Yield each way, the same database."""
    dump, dsn = shlex.quote(its.program("pg_dump")), shlex.quote(address.dsn)
    ours = {"backup run": 1, "backup run --jobs 2": 2}
    for way, jobs in ours.items():
        into = folder / f"jobs{jobs}"
        yield timed(way, into, partial(run, address, into, jobs))
        (one,) = store.backups(into)[0]
        yield timed(f"backup verify (of {way})", None, partial(trial.verify, one))
    shells = {"pg_dump -Fd -j2": f"{dump} -d {dsn} -Fd -j2 -f out"}
    shells |= {"pg_dump | gzip -9": f"{dump} -d {dsn} --blobs | gzip -9 -c >out"}
    for level in ("1", "3", "6", "9"):
        shells[f"pg_dump -Fc, gzip {level}"] = f"{dump} -d {dsn} -Fc -Z{level} -f out"
    if its.has_zstd():
        shells["pg_dump -Fc, zstd 3"] = f"{dump} -d {dsn} -Fc -Zzstd:3 -f out"
    for number, (way, command) in enumerate(shells.items()):
        place = folder / f"plain{number}"
        place.mkdir()
        yield timed(way, place, partial(shell, command, place))
        shutil.rmtree(place)


def run(address: Address, into: Path, jobs: int) -> None:
    """Back up by this tool."""
    done = running.run(
        addresses.Address(address.dsn),
        [address.dbname],
        Wish(into=into, jobs=jobs),
        None,
        say=lambda _: None,
        advance=lambda _done, _total: None,
    )
    assert done.made, done.failed


def shell(command: str, folder: Path) -> None:
    """Run a command as a site's script does."""
    subprocess.run(["/bin/sh", "-c", command], cwd=folder, check=True, capture_output=True)


def timed(way: str, folder: Path | None, work: Callable[[], object]) -> Row:
    """Return what one way took."""
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    return Row(way=way, seconds=seconds, size=space.of_folder(folder) if folder else None)


def tools_of(bin_dir: Path) -> tools.Tools:
    """Return the dump programs of a folder."""
    found = tools.in_folder(bin_dir)
    assert found is not None
    return found


def _size(address: Address) -> int:
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_database_size(current_database())")
        (size,) = cursor.fetchone() or (0,)
    return int(size)


if __name__ == "__main__":
    main(sys.argv[1:])
