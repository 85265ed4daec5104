"""How long is nobody the primary, and what is lost?

Run it alone with: python -m benchmarks --only standby

A client writes one row after the other and counts those whose commit was confirmed.
"""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg2

from benchmarks import report
from benchmarks.measuring import Table
from collec_migrations.replica import nodes, promotion, rejoin, switchover
from collec_migrations.replica.rejoin import RejoinRequest
from tests import servers, standbys
from tests.standbys import Machine, Pair, until


@dataclass
class Writer:
    """A client that writes until it is stopped or its server is gone."""

    dsn: str
    confirmed: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Write, and count what was confirmed."""
        with suppress(psycopg2.Error):
            connection = psycopg2.connect(self.dsn)
            connection.autocommit = True
            with connection.cursor() as cursor:
                while not self.over.is_set():
                    cursor.execute("insert into life (what) values ('counted')")
                    self.confirmed += 1


COLUMNS = (
    "PostgreSQL",
    "promote",
    "switchover, without a primary",
    "rows confirmed and lost",
    "bytes lost",
    "rejoin by rewind",
)


def failovers() -> Table:
    """Return a table with a line for each major at hand."""
    rows = []
    for major in servers.majors():
        with standbys.template(major) as made, standbys.pair(made) as pair:
            rows.append((str(major), *measured(pair)))
    return Table(
        title="Failover, switchover and rejoin while a client writes, in memory, without fsync",
        columns=COLUMNS,
        rows=tuple(rows),
    )


def measured(pair: Pair) -> tuple[str, ...]:
    """Switch over while somebody writes, then fail over, and rejoin."""
    writer = Writer(dsn=pair.a.named.address.dsn)
    thread = threading.Thread(target=writer.run)
    thread.start()
    until(lambda: writer.confirmed > 1000)
    away = switchover.switch_over(switchover.plan_switchover(request(pair, pair.a), "b"), say=quiet)
    thread.join()
    lost = writer.confirmed - int(str(pair.b.value("select count(*) from life")))
    until(lambda: pair.follows(pair.a, pair.b))
    pair.caught_up(pair.a, pair.b)
    pair.b.kill()
    named = nodes.known_nodes([pair.a.option, pair.b.option])
    promoted = promotion.promote(promotion.plan_promotion(named, "a"), say=quiet)
    pair.write(pair.a, "goes on")
    began = time.monotonic()
    rejoin.rejoin_standby(rejoin.plan_rejoin(request(pair, pair.b)), say=quiet)
    came_back = time.monotonic() - began
    return (
        report.shown(promoted.seconds),
        report.shown(away.away),
        f"{lost} of {writer.confirmed}",
        str(away.lost),
        report.shown(came_back),
    )


def request(pair: Pair, one: Machine) -> RejoinRequest:
    """Return the wish of a node."""
    named = nodes.known_nodes([pair.a.option, pair.b.option])
    return RejoinRequest(nodes=named, name=one.name, data=one.data, passfile=pair.passfile)


def quiet(_: str) -> None:
    """Say nothing."""
