"""Backups of one database, by this tool and by others, in one run: seconds and bytes.

Run it with: python -m benchmarks.backup [MEGABYTES]     (default 100; 1000 for the guide's size)
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
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
CLUSTER = ("/usr/bin/pg_backupcluster", "15", "bench")


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
    """Measure on a throwaway server of PostgreSQL 15, Debian's, else the embedded one."""
    megabytes = int(arguments[0]) if arguments else 100
    found = {one.major: one for one in binaries.at_hand()}
    chosen = found.get(15) or binaries.embedded()
    with (
        throwaway(chosen, settings={}) as server,
        tempfile.TemporaryDirectory(prefix="collec-bench-") as folder,
    ):
        filled = database(server, "filled")
        fill(filled, megabytes)
        rows = list(measured(filled, tools_of(chosen.bin_dir), Path(folder)))
        size = _size(filled)
    write = sys.stdout.write
    write(f"PostgreSQL {chosen.version}, database of {space.shown(size)}, one run each\n\n")
    write("| way | time | size |\n|---|---|---|\n" + "".join(f"{row}\n" for row in rows))
    if not shutil.which(CLUSTER[0]):
        write("\npg_backupcluster is not installed\n")


def fill(address: Address, megabytes: int) -> None:
    """Install 1.1 with a laboratory, and documents of a megabyte that hardly compress."""
    alembic(address, "1.1")
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        laboratory.fill(connection, Names(), movements=20_000)
        cursor.execute("select uid from col.object order by uid limit 1")
        (uid,) = cursor.fetchone() or (0,)
        for number in range(megabytes):
            cursor.execute(
                "insert into col.document (uid, mime_type_id, document_name, data)"
                " values (%s, 1, %s, %s)",
                (uid, f"document {number}.pdf", os.urandom(DOCUMENT)),
            )
        connection.commit()
        connection.autocommit = True
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
    yield from debian(address, its, folder)


def debian(address: Address, its: tools.Tools, folder: Path) -> Iterator[Row]:
    """Yield what pg_backupcluster runs, by its own commands: it takes clusters of /etc alone."""
    if not shutil.which(CLUSTER[0]):
        return
    # `dump`: pg_dumpall -g, then pg_dump -Fc -Z default for each database; `basebackup`:
    # pg_basebackup -Ft -z -X fetch (pg_backupcluster of postgresql-common 248).
    dsn, all_of_it = shlex.quote(address.dsn), shlex.quote(its.program("pg_dumpall"))
    place = folder / "debian"
    place.mkdir()
    dump = f"{all_of_it} -g -d {dsn} | gzip >globals; "
    dump += f"{shlex.quote(its.program('pg_dump'))} -Fc -d {dsn} -f out"
    yield timed("what `pg_backupcluster dump` runs", place, partial(shell, dump, place))
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
