"""Commands that only read, and the queries of the view that the application asks most.

Run it alone with: python -m benchmarks --only read,views [--sizes 10000,100000]
"""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg2

from benchmarks import peers
from benchmarks.measuring import Measurement, median, timed
from collec_migrations.postgres import binaries
from collec_migrations.postgres.address import Address

REPEATS = 3
SHOWN = {
    "detect": ("detect",),
    "verify": ("verify", "1.0.8"),
    "plan": ("upgrade", "--plan"),
    "history": ("history",),
}
ONE = "select * from col.last_movement where uid = %(uid)s"
ALL = "select count(*), max(storage_date) from col.last_movement"
LAST = "select uid from col.storage order by storage_id desc limit 1"


def commands(address: Address, movements: int) -> Iterator[Measurement]:
    """Yield what each reading command takes; a dump of the structure is what diffs begin with."""
    for what, words in SHOWN.items():
        command = peers.ours("collec-migrations")
        work = partial(peers.run, [command, *words, "--url", address.url], Path("/"))
        yield Measurement(
            group="read",
            what=what,
            way=f"collec-migrations {' '.join(words)}",
            seconds=median([work] * REPEATS),
            movements=movements,
        )
    dump = str(binaries.embedded().program("pg_dump"))
    yield Measurement(
        group="read",
        what="verify",
        way="pg_dump -s, still to be compared",
        seconds=median([partial(peers.run, [dump, "-s", "-d", address.dsn])] * REPEATS),
        movements=movements,
    )


def views(address: Address, version: str, movements: int) -> Iterator[Measurement]:
    """Yield what the queries of `last_movement` take at a version, in one session."""
    with closing(psycopg2.connect(address.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(LAST)
        (uid,) = cursor.fetchone() or (None,)
        repeats = 1 if movements >= 10_000_000 else REPEATS
        for what, query in (("one object", ONE), ("all objects", ALL)):
            cursor.execute(query, {"uid": uid})  # warm, as in a laboratory at work
            yield Measurement(
                group="views",
                what=f"last_movement of {what}",
                way=f"at {version}",
                movements=movements,
                seconds=min(
                    timed(partial(cursor.execute, query, {"uid": uid})) for _ in range(repeats)
                ),
            )
