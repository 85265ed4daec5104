"""Watch which strong locks a run holds on tables that were there before, and for how long."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from time import monotonic

import psycopg2

from collec_migrations.postgres import connection as database
from collec_migrations.postgres import conninfo

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How long others would have had to wait for a table."""

    table: str
    stops_reading: bool
    """False: only those who write would have waited."""
    seconds: float


@dataclass(slots=True)
class Watch:
    """What was seen so far."""

    names: Mapping[int, str]
    """Oid and name of the tables that are watched."""
    _first: dict[tuple[int, bool], float] = field(default_factory=dict)
    _last: dict[tuple[int, bool], float] = field(default_factory=dict)

    def see(self, relation: int, mode: str, now: float) -> None:
        """Take in one look at one lock."""
        key = (relation, mode == STOPS_ALL)
        self._first.setdefault(key, now)
        self._last[key] = now

    @property
    def held(self) -> tuple[Held, ...]:
        """Return each table once, by its strongest lock; the longest first."""
        found = [
            Held(
                table=self.names[relation],
                stops_reading=stops_reading,
                seconds=self._last[relation, stops_reading] - first,
            )
            for (relation, stops_reading), first in self._first.items()
            if stops_reading or (relation, True) not in self._first
        ]
        return tuple(sorted(found, key=lambda one: (-one.seconds, one.table)))


@contextmanager
def watched(dsn: str, names: Mapping[int, str]) -> Iterator[Watch]:
    """Look at the locks of a database, on a connection of its own, while a block runs."""
    watch, over = Watch(names), threading.Event()
    with closing(database.connect(conninfo.Address(dsn))) as connection:
        connection.autocommit = True

        def look() -> None:
            with connection.cursor() as cursor:
                while not over.wait(PAUSE):
                    try:
                        cursor.execute(QUERY, (list(MODES), list(names)))
                    except psycopg2.Error:
                        return
                    now = monotonic()
                    for relation, mode in cursor.fetchall():
                        watch.see(relation, mode, now)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield watch
        finally:
            over.set()
            thread.join()
