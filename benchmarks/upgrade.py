"""Fresh installation and 1.0.8 to 1.1, by `alembic upgrade` and by plain psql, in one run.

Run it with: python -m benchmarks.upgrade [MOVEMENTS ...]
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psycopg2

from collec_migrations import laboratory, library
from collec_migrations.names import Names
from collec_migrations.server import binaries
from collec_migrations.server.address import Address
from collec_migrations.server.throwaway import throwaway

ROOT = Path(__file__).parent.parent
CREATION = ("gacl_create-1.1.sql", "col_create-1.1.sql")
UPGRADE = ("upgrade-1.0.8-1.1.sql",)
REPEATS = 5
UPGRADES = 3
MOVEMENTS = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing measured both ways, in seconds."""

    what: str
    ours: float
    theirs: float

    def __str__(self) -> str:
        ratio = self.ours / self.theirs
        return f"| {self.what} | {self.ours:.2f} s | {self.theirs:.2f} s | {ratio:.1f} |"


def main(arguments: Sequence[str]) -> None:
    """Measure on a throwaway server that writes as a real one does, and print a table."""
    sizes = tuple(int(text) for text in arguments) or MOVEMENTS
    with throwaway(binaries.embedded(), settings={}) as server:
        rows = [installation(server), *(upgrade(server, size) for size in sizes)]
    sys.stdout.write("| what | alembic upgrade | psql -1 -f | ratio |\n|---|---|---|---|\n")
    sys.stdout.writelines(f"{row}\n" for row in rows)


def installation(server: Address) -> Row:
    """Measure a fresh installation of 1.1, whole processes."""
    empty = [database(server, f"fresh_{number}") for number in range(2 * REPEATS)]
    ours = statistics.median(timed(partial(alembic, a, "head")) for a in empty[::2])
    theirs = statistics.median(timed(partial(psql, a, CREATION)) for a in empty[1::2])
    return Row(what="fresh installation of 1.1", ours=ours, theirs=theirs)


def upgrade(server: Address, movements: int) -> Row:
    """Measure 1.0.8 to 1.1 on a database with laboratory data."""
    template = filled(server, movements)
    clones = [
        database(server, f"clone_{movements}_{number}", template) for number in range(2 * UPGRADES)
    ]
    return Row(
        what=f"1.0.8 to 1.1, {movements:,} movements",
        ours=statistics.median(timed(partial(alembic, a, "head")) for a in clones[::2]),
        theirs=statistics.median(timed(partial(psql, a, UPGRADE)) for a in clones[1::2]),
    )


def filled(server: Address, movements: int) -> str:
    """Make a database at 1.0.8 with laboratory data, and return its name."""
    made = database(server, f"filled_{movements}")
    alembic(made, "1.0.8")
    with closing(psycopg2.connect(made.dsn)) as connection:
        laboratory.fill(connection, Names(), movements=movements)
        connection.commit()
    return made.dbname


def database(server: Address, name: str, template: str = "template0") -> Address:
    """Create a database and return its address."""
    with closing(psycopg2.connect(server.dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'create database "{name}" template "{template}"')
    return replace(server, dbname=name)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alembic(address: Address, version: str) -> None:
    """Upgrade by Alembic's own command, as a user does."""
    program = Path(sys.executable).parent / "alembic"
    run([str(program), "-x", f"url={address.url}", "upgrade", version])


def psql(address: Address, scripts: Sequence[str]) -> None:
    """Run the same scripts by psql in one transaction."""
    program = binaries.embedded().program("psql")
    files = [word for name in scripts for word in ("-f", str(library.scripts_folder() / name))]
    run([str(program), "-Xq", "-1", "-v", "ON_ERROR_STOP=1", "-d", address.dsn, *files])


def run(words: Sequence[str]) -> None:
    """Run a command, which must succeed."""
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)


if __name__ == "__main__":
    main(sys.argv[1:])
