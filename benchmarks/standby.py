"""From nothing to a streaming standby: `replica clone` beside plain pg_basebackup, in one run.

Run it alone with: python -m benchmarks --only standby

Documents that hardly compress. The two ways take turns, twice; the shorter time of each counts,
so that neither profits from what the other left in memory. Whole processes, on a disk (/var/tmp),
with fsync; plain pg_basebackup does not verify its copy, ours does.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backup import fill
from benchmarks.measuring import Measurement
from benchmarks.upgrade import database
from collec_migrations.postgres import sizes
from tests import accounts, clusters, primaries
from tests.faults import until
from tests.primaries import Prepared

GROUP = "standby"
TIMES = 2
DISK = Path("/var/tmp")
STREAMING = "select count(*) from pg_stat_replication where state = 'streaming'"
SIZE = "select sum(pg_database_size(oid))::bigint from pg_database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to make a standby in the folder of a name."""

    shown: str
    work: Callable[[Prepared, str], object]


def clones(megabytes: int) -> Iterator[Measurement]:
    """Yield what each way takes, on a server that writes as a real one does."""
    ways = (
        Way(shown="pg_basebackup -R -C, pg_ctl start", work=plain),
        Way(shown="collec-migrations replica clone --apply", work=ours),
    )
    with clusters.site(18, DISK) as site:
        prepared = primaries.prepare(site, {"fsync": "on"})
        fill(database(prepared.address, "filled"), megabytes)
        ((size,),) = clusters.rows(prepared.address, SIZE)
        rounds = [[timed(prepared, way, number) for way in ways] for number in range(TIMES)]
    best = [min(seconds) for seconds in zip(*rounds, strict=True)]
    what = f"a streaming standby, {sizes.shown(int(size))}"
    for way, seconds in zip(ways, best, strict=True):
        yield Measurement(group=GROUP, what=what, way=way.shown, seconds=seconds)


def timed(prepared: Prepared, way: Way, number: int) -> float:
    """Return the seconds until a standby streams, which is then removed."""
    name = f"bench{number}"
    began = time.perf_counter()
    way.work(prepared, name)
    until(lambda: clusters.rows(prepared.address, STREAMING) == [(1,)])
    seconds = time.perf_counter() - began
    prepared.remove(name)
    return seconds


def plain(prepared: Prepared, name: str) -> None:
    """Make a standby as an administrator does who trusts every step."""
    node = prepared.site.node(name)
    where = f"host=127.0.0.1 port={prepared.port} user=rep passfile={prepared.passfile}"
    slot = ("-C", "-S", f"{name}_slot")
    node.run("pg_basebackup", "-w", "-d", where, "-D", node.data, "-R", "-c", "fast", *slot)
    port = f"-p {clusters.free_port()}"
    node.run("pg_ctl", "-D", node.data, "-w", "-o", port, "-l", node.data / "log.txt", "start")


def ours(prepared: Prepared, name: str) -> None:
    """Make a standby by the command."""
    accounts.run(primaries.MAIN, *prepared.words(name, "--port", clusters.free_port(), "--yes"))
