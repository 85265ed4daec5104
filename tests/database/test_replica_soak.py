"""Roles change many times while clients write: no confirmed row is ever lost."""

import threading
import time
from contextlib import closing, suppress

import psycopg2
import pytest

from tests.database.test_replica_life import rejoin, replica, switchover
from tests.standbys import Machine, Pair, until

pytestmark = pytest.mark.soak
ROUNDS = 6


class Client(threading.Thread):
    """Writes numbers to whichever node is the primary, and notes those that were confirmed."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self.pair = pair
        self.over = threading.Event()
        self.confirmed: list[str] = []

    def run(self) -> None:
        while not self.over.is_set():
            for one in (self.pair.a, self.pair.b):
                with suppress(psycopg2.Error):
                    self.write(one)
            time.sleep(0.01)

    def write(self, one: Machine) -> None:
        with closing(psycopg2.connect(one.named.address.dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                while not self.over.is_set():
                    text = str(len(self.confirmed))
                    cursor.execute("insert into life (what) values (%s)", (text,))
                    self.confirmed.append(text)


def kept(client: Client, one: Machine) -> set[str]:
    """Return the confirmed rows that a node does not have."""
    there = {str(what) for (what,) in one.sql("select what from life")}
    return set(client.confirmed) - there


def test_no_confirmed_row_is_lost_by_switchovers(any_pair: Pair) -> None:
    pair = any_pair
    if pair.a.node.binaries.major < 12:
        pytest.skip("without pg_promote() a switchover is done by hand (the runbook)")
    client = Client(pair)
    client.start()
    try:
        primary, standby = pair.a, pair.b
        for _ in range(ROUNDS):
            seen = len(client.confirmed)
            until(lambda seen=seen: len(client.confirmed) > seen + 200)  # type: ignore[misc]  # a default, for the loop
            until(lambda p=primary, s=standby: pair.follows(s, p))  # type: ignore[misc]  # as above
            status, told = switchover(pair, primary)
            assert status == 0, told
            assert "bytes lost: 0" in told
            primary, standby = standby, primary
    finally:
        client.over.set()
        client.join()
    assert not kept(client, primary)
    pair.caught_up(standby, primary)
    assert not kept(client, standby)


def test_nodes_agree_after_every_crash(any_pair: Pair) -> None:
    pair = any_pair
    client = Client(pair)
    client.start()
    try:
        primary, standby = pair.a, pair.b
        for _ in range(ROUNDS):
            seen = len(client.confirmed)
            until(lambda seen=seen: len(client.confirmed) > seen + 200)  # type: ignore[misc]  # as above
            primary.kill()
            local = () if standby.node.binaries.major >= 12 else ("--data", standby.data)
            status, told = replica("promote", *pair.options, *local, "--yes")
            assert status == 0, told
            primary, standby = standby, primary
            status, told = rejoin(pair, standby)
            assert status == 0, told
            until(lambda p=primary, s=standby: pair.follows(s, p))  # type: ignore[misc]  # as above
    finally:
        client.over.set()
        client.join()
    pair.caught_up(standby, primary)
    query = "select count(*), md5(string_agg(id || what, ',' order by id)) from life"
    assert primary.sql(query) == standby.sql(query)
