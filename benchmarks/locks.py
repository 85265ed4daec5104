"""How long 1.0.8 to 1.1 keeps others out of a table, and how often a run asks the server.

Run it with: python -m benchmarks.locks [MOVEMENTS ...]
"""

import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psycopg2

from benchmarks import upgrade as benches
from collec_migrations.server import binaries
from collec_migrations.server.address import Address
from collec_migrations.server.throwaway import throwaway

MOVEMENTS = (1_000_000,)
REPEATS = 5
TABLES = """
select c.oid::bigint, n.nspname || '.' || c.relname from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('gacl', 'col') and c.relkind in ('r', 'v')
"""
HELD = """
select distinct relation::bigint from pg_locks
where granted and mode = 'AccessExclusiveLock' and relation = any (%s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How long one way kept readers out."""

    way: str
    seconds: float
    """Of the whole process."""
    longest: float
    table: str
    movements: float
    """On the table of movements."""
    gap: float
    """The longest time between two looks: a shorter lock may not have been seen."""

    def __str__(self) -> str:
        longest = f"{self._shown(self.longest)} ({self.table})" if self.longest else "not seen"
        return (
            f"| {self.way} | {self.seconds:.2f} s | {longest}"
            f" | {self._shown(self.movements)} | {self.gap * 1000:.0f} ms |"
        )

    def _shown(self, seconds: float) -> str:
        return f"{seconds * 1000:.0f} ms" if seconds else "not seen"


def main(arguments: Sequence[str]) -> None:
    """Measure on a throwaway server that writes as a real one does, and print tables."""
    with throwaway(binaries.embedded(), settings={}) as server:
        for movements in [int(text) for text in arguments] or MOVEMENTS:
            _print_locks(server, movements)
        _print_round_trips(server)


def _print_locks(server: Address, movements: int) -> None:
    template = benches.filled(server, movements)
    ways: dict[str, Callable[[Address], object]] = {
        "alembic upgrade": partial(benches.alembic, version="head"),
        "collec-migrations upgrade": _tool,
        "psql -f": lambda address: _psql(address),
        "psql -1 -f": lambda address: _psql(address, "-1"),
    }
    found = _value(replace(server, dbname=template), "select count(*) from col.storage")
    sys.stdout.write(
        f"\n{found} movements\n| 1.0.8 to 1.1 by | whole | longest exclusive lock"
        " | on storage | longest gap between looks |\n|---|---|---|---|---|\n"
    )
    for number, (way, work) in enumerate(ways.items()):
        address = benches.database(server, f"locks_{movements}_{number}", template)
        held = _measured(address, way, work)
        arrived = _value(address, "select max(dbversion_number) from col.dbversion")
        kept = _value(address, "select count(*) from col.storage where column_number = 1")
        if (arrived, kept) != ("1.1", found):
            raise RuntimeError(f"{way} did not arrive: {arrived}, {kept} movements")
        sys.stdout.write(f"{held}\n")
        sys.stdout.flush()


def _measured(address: Address, way: str, work: Callable[[Address], object]) -> Held:
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(TABLES)
        names: dict[int, str] = dict(cursor.fetchall())
        longest = dict.fromkeys(names.values(), 0.0)
        since: dict[int, float] = {}
        gap = 0.0
        worker = threading.Thread(target=work, args=(address,))
        started = last = time.monotonic()
        worker.start()
        while worker.is_alive():
            cursor.execute(HELD, (list(names),))
            held = {oid for (oid,) in cursor.fetchall()}
            now = time.monotonic()
            gap, last = max(gap, now - last), now
            since = {oid: since.get(oid, now) for oid in held}
            for oid, begun in since.items():
                longest[names[oid]] = max(longest[names[oid]], now - begun)
            time.sleep(0.001)
        seconds = time.monotonic() - started
    table = max(longest, key=lambda name: longest[name])
    return Held(
        way=way,
        seconds=seconds,
        longest=longest[table],
        table=table,
        movements=longest["col.storage"],
        gap=gap,
    )


def _value(address: Address, query: str) -> object:
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
        return row[0] if row else None


def _print_round_trips(server: Address) -> None:
    sys.stdout.write("\n| run | round trips | whole process |\n|---|---|---|\n")
    for run, version in (("fresh installation of 1.1", "head"), ("nothing to do", "head")):
        address = replace(server, dbname="trips")
        if run.startswith("fresh"):
            address = benches.database(server, "trips")
        with _counted(address) as (counted, trips):
            started = time.monotonic()
            benches.alembic(counted, version)
            seconds = time.monotonic() - started
        sys.stdout.write(f"| {run} | {sum(trips)} | {seconds:.2f} s |\n")
    idle = partial(benches.alembic, address, "head")
    seconds = statistics.median(benches.timed(idle) for _ in range(REPEATS))
    sys.stdout.write(f"| nothing to do, without counting | | {seconds:.2f} s |\n")


def _tool(address: Address) -> None:
    words = ("collec-migrations", "upgrade", "--yes", "--url", address.url)
    program = str(Path(sys.executable).parent / words[0])
    subprocess.run([program, *words[1:]], cwd="/", check=True, capture_output=True)


def _psql(address: Address, *options: str) -> None:
    psql = binaries.embedded().program("psql")
    script = benches.ROOT / "legacy_sql" / benches.UPGRADE[0]
    words = [psql, "-X", "-q", *options, "-v", "ON_ERROR_STOP=1", "-d", address.dsn, "-f", script]
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


@contextmanager
def _counted(address: Address) -> Iterator[tuple[Address, list[int]]]:
    """Give a way to the server that counts how often the client waits for an answer."""
    trips: list[int] = []
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/.s.PGSQL.{address.port}")
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                far = socket.socket(socket.AF_UNIX)
                far.connect(f"{address.host}/.s.PGSQL.{address.port}")
                trips.append(_pass(near, far))

        threading.Thread(target=serve, daemon=True).start()
        yield replace(address, host=folder), trips


def _pass(near: socket.socket, far: socket.socket) -> int:
    """Pass everything on between two ends until one closes; return how often both had a turn."""
    turns, asking = 0, False
    with near, far, selectors.DefaultSelector() as ready:
        ready.register(near, selectors.EVENT_READ, far)
        ready.register(far, selectors.EVENT_READ, near)
        while True:
            for key, _ in ready.select():
                source: socket.socket = key.fileobj  # type: ignore[assignment]  # as registered
                data = source.recv(1 << 20)
                if not data:
                    return turns
                key.data.sendall(data)
                if source is near and not asking:
                    turns += 1
                asking = source is near


if __name__ == "__main__":
    main(sys.argv[1:])
