"""A client, a backend or a server killed, a connection cut: the database is as it was."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from multiprocessing.context import ForkProcess
from pathlib import Path

import psycopg2
import pytest

from collec_migrations.errors import ConnectionLost, ServerFailed
from collec_migrations.postgres import embedded
from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data
from tests import chain, faults
from tests.runs.states import state
from tests.servers import Server

PATIENT = {"lock_retries": "0", "lock_timeout": "60"}
RUNS = (
    "select pid from pg_stat_activity"
    " where application_name = 'collec-migrations' and datname = current_database()"
)
AT_THE_GATE = (
    "select 1 from pg_locks where locktype = 'advisory' and not granted"
    f" and objid = {faults.GATE} and database = (select oid from pg_database"
    " where datname = current_database())"
)


def start(address: Address) -> ForkProcess:
    """Start an upgrade in a process of its own: forked, as nothing has to be imported then."""
    process = ForkProcess(target=chain.upgrade, args=(address,), kwargs=PATIENT)
    process.start()
    return process


@contextmanager
def gate_closed(address: Address) -> Iterator[None]:
    """Let runs wait where `faults.WAIT` is planned, until the end of the block."""
    with chain.connected(address) as keeper:
        keeper.cursor().execute(f"select pg_advisory_xact_lock({faults.GATE})")
        yield


def kill_client(address: Address, at: int) -> None:
    """Kill an upgrade while it is at a statement, and wait until its backend has ended."""
    faults.plan(address, at, faults.WAIT)
    with gate_closed(address):
        process = start(address)
        faults.until(lambda: chain.query(address, AT_THE_GATE))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    faults.until(lambda: not chain.query(address, RUNS))


def check_killed_client(server: Server, address: Address, positions: list[int]) -> None:
    before = state(address)
    for at in positions:
        kill_client(address, at)
        assert state(address) == before, at
    faults.unhook(address)
    chain.upgrade(address, lock_wait="0")
    assert chain.catalog(address) == chain.known(chain.HEAD)


def test_a_killed_client_leaves_nothing(server18: Server, filled: Address) -> None:
    check_killed_client(server18, filled, faults.spread(faults.counted(server18, filled), 5))


def test_a_client_killed_while_installing_leaves_nothing(server18: Server, empty: Address) -> None:
    check_killed_client(server18, empty, faults.spread(faults.counted(server18, empty), 5))


@pytest.mark.soak
@pytest.mark.parametrize("start", ["filled", "empty"])
def test_a_client_killed_at_every_statement_leaves_nothing(
    server18: Server, start: str, request: pytest.FixtureRequest
) -> None:
    address: Address = request.getfixturevalue(start)
    positions = list(range(1, faults.counted(server18, address) + 1))
    check_killed_client(server18, address, positions)


def test_a_killed_client_leaves_no_lock_even_in_a_long_statement(filled: Address) -> None:
    faults.plan(filled, 20, "select pg_sleep(600)")
    process = start(filled)
    sleeping = f"{RUNS} and wait_event = 'PgSleep'"
    faults.until(lambda: chain.query(filled, sleeping))
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    faults.until(lambda: not chain.query(filled, RUNS), seconds=20)
    faults.unhook(filled)
    chain.upgrade(filled, lock_wait="0")


class Crashing:
    """A server of the test's own, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = Address(host=embedded.ensure_running(folder, say=print).host)

    def recover(self) -> None:
        """Start the server again if it has gone, and wait until it takes connections."""

        def ready() -> bool:
            # While the old processes end, or the server recovers, it does not answer as it should.
            with suppress(psycopg2.OperationalError, ServerFailed):
                embedded.ensure_running(self.folder, say=print)
                chain.query(self.address, "select 1")
                return True
            return False

        faults.until(ready, seconds=60)


@pytest.fixture
def crashing(folder: Path) -> Crashing:
    """Return a server with a database at 1.0.8, with rows in every table, and the hook."""
    found = Crashing(folder)
    chain.upgrade(found.address, "1.0.8")
    with chain.connected(found.address) as connection:
        sample_data.fill(connection, chain.DEFAULT, movements=60)
        connection.commit()
    faults.hook(found.address)
    return found


def total(crashing: Crashing) -> int:
    """Return how many statements the upgrade has, on a copy."""
    host = crashing.address.host
    with closing(psycopg2.connect(Address(host=host, dbname="postgres").dsn)) as connection:
        connection.autocommit = True
        connection.cursor().execute("create database copy template collec")
    copy = Address(host=host, dbname="copy")
    return faults.count(copy, lambda: chain.upgrade(copy))


def check_crashes(crashing: Crashing, positions: list[int], action: str) -> None:
    before = state(crashing.address)
    for at in positions:
        faults.plan(crashing.address, at, action)
        with pytest.raises(ConnectionLost, match="nothing was applied"):
            chain.upgrade(crashing.address, **PATIENT)
        crashing.recover()
        assert state(crashing.address) == before, at
    faults.unhook(crashing.address)
    chain.upgrade(crashing.address)
    assert chain.catalog(crashing.address) == chain.known(chain.HEAD)


CRASHES = [
    pytest.param(faults.KILL_BACKEND, id="backend-killed"),
    pytest.param(faults.STOP_AT_ONCE, id="server-stopped-hard"),
]


@pytest.mark.parametrize("action", CRASHES)
def test_a_crash_leaves_nothing(crashing: Crashing, action: str) -> None:
    check_crashes(crashing, faults.spread(total(crashing), 3), action)


@pytest.mark.soak
@pytest.mark.parametrize("action", CRASHES)
def test_a_crash_at_every_statement_leaves_nothing(crashing: Crashing, action: str) -> None:
    check_crashes(crashing, list(range(1, total(crashing) + 1)), action)
