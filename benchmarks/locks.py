"""How long 1.0.8 to 1.1 keeps others out of a table, and how often a run asks the server.

Run it alone with: python -m benchmarks --only locks [--sizes 1000000]
"""

import selectors
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial

import psycopg2

from benchmarks import peers
from benchmarks import upgrade as benches
from benchmarks.measuring import ROOT, Table, timed
from collec_migrations.postgres import binaries
from collec_migrations.postgres.address import Address

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

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the row of a table."""
        longest = f"{self._shown(self.longest)} ({self.table})" if self.longest else "not seen"
        whole, gap = f"{self.seconds:.2f} s", f"{self.gap * 1000:.0f} ms"
        return self.way, whole, longest, self._shown(self.movements), gap

    def _shown(self, seconds: float) -> str:
        return f"{seconds * 1000:.0f} ms" if seconds else "not seen"


def held(server: Address, template: Address, movements: int) -> Table:
    """Return how long each way keeps readers out."""
    ways: dict[str, Callable[[Address], object]] = {
        "alembic upgrade": peers.alembic,
        "collec-migrations upgrade": peers.tool,
        "psql -f": _psql,
        "psql -1 -f": partial(peers.psql, scripts=benches.UPGRADE),
    }
    rows = []
    for way, work in ways.items():
        address = benches.cloned(server, template)
        rows.append(_measured(address, way, work).cells)
        benches.arrived(address)
        benches.dropped(server, address)
    return Table(
        title=f"1.0.8 to 1.1 with {movements:,} movements: the longest exclusive lock, sampled",
        columns=(
            "by",
            "whole",
            "longest exclusive lock",
            "on storage",
            "longest gap between looks",
        ),
        rows=tuple(rows),
    )


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
            locked = {oid for (oid,) in cursor.fetchall()}
            now = time.monotonic()
            gap, last = max(gap, now - last), now
            since = {oid: since.get(oid, now) for oid in locked}
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


def round_trips(server: Address) -> Table:
    """Return how often a run waits for the server."""
    rows = []
    address = benches.database(server, "trips")
    for run in ("fresh installation of 26.2", "nothing to do"):
        with _counted(address) as (counted, trips):
            seconds = timed(partial(peers.alembic, counted))
        rows.append((run, str(sum(trips)), f"{seconds:.2f} s"))
    benches.dropped(server, address)
    return Table(
        title="Round trips of `alembic upgrade head`",
        columns=("run", "round trips", "whole process, counted"),
        rows=tuple(rows),
    )


def _psql(address: Address) -> None:
    """Run the script as it is, each statement a transaction of its own."""
    psql = str(binaries.embedded().program("psql"))
    script = str(ROOT / "legacy_sql" / benches.UPGRADE[0])
    peers.run([psql, "-Xq", "-v", "ON_ERROR_STOP=1", "-d", address.dsn, "-f", script])


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
