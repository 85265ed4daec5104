"""What another session or a short resource does to a run: it waits, retries, gives up whole."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from collec_migrations.errors import ConnectionLost, MigrationError
from collec_migrations.migrate import verbs
from collec_migrations.postgres.address import Address
from tests import chain, faults
from tests.runs.states import state
from tests.servers import Server

LOCKED = ("gacl.logingestion", "gacl.aclgroup", "col.label", "col.sample", "col.storage")
REMOTE = "select 1 from pg_stat_activity where usename = 'remote'"
PASSWORD = "through-the-wire"


@contextmanager
def locked(address: Address, table: str, mode: str = "access share") -> Iterator[None]:
    """Hold a lock on a table, as a reader in a long transaction does."""
    with chain.connected(address) as other:
        other.cursor().execute(f"lock table {table} in {mode} mode")
        yield


def test_a_table_locked_by_another_session_leaves_nothing(filled: Address) -> None:
    before = state(filled)
    for table in (*LOCKED, "col.alembic_version", "col.migration_history"):
        with (
            locked(filled, table, "access exclusive"),
            pytest.raises(MigrationError, match="nothing was applied"),
        ):
            chain.upgrade(filled, lock_timeout="0.2", lock_retries="0")
        assert state(filled) == before, table
    faults.unhook(filled)
    chain.upgrade(filled)
    assert chain.catalog(filled) == chain.known(chain.HEAD)


def test_a_reader_that_ends_in_time_only_delays_the_run(filled: Address) -> None:
    said: list[str] = []
    faults.unhook(filled)
    with chain.connected(filled) as reader:
        reader.cursor().execute("select count(*) from col.storage")

        def say(line: str) -> None:
            said.append(line)
            if "trying again" in line:
                reader.rollback()

        given = {"url": filled.url, "lock_timeout": "0.2", "lock_retries": "5"}
        verbs.upgrade(given, "head", say=say)
    assert any("trying again" in line for line in said)
    assert chain.catalog(filled) == chain.known(chain.HEAD)
    applied = "select count(*) from col.migration_history where version = '1.1'"
    assert chain.query(filled, applied) == [(1,)]


def test_a_limit_on_temporary_files_leaves_nothing(filled: Address) -> None:
    chain.execute(
        filled,
        "insert into gacl.aclgroup (aclgroup_id, groupe)"
        " select 1000000 + n, 'group ' || n from generate_series(1, 30000) n;"
        " insert into col.project_group (project_id, aclgroup_id)"
        " select (select min(project_id) from col.project), 1000000 + n"
        " from generate_series(1, 30000) n",
    )
    name = filled.dbname
    chain.execute(filled, f"alter database {name} set work_mem = '64kB'")
    chain.execute(filled, f"alter database {name} set temp_file_limit = '400kB'")
    before = state(filled)
    with pytest.raises(MigrationError, match="temporary file size exceeds") as failed:
        chain.upgrade(filled)
    assert "nothing was applied" in str(failed.value)
    assert state(filled) == before
    chain.execute(filled, f"alter database {name} reset temp_file_limit")
    chain.upgrade(filled)


class Wire:
    """A connection to a server that passes through here, and can be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break what is connected, and let nobody in any more."""
        for end in [self._listener, *self._ends]:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)


@pytest.fixture(scope="module")
def remote(server18: Server) -> str:
    """Return a superuser who comes in by TCP."""
    server18.create_role("remote", PASSWORD)
    chain.execute(server18.address, "alter role remote superuser")
    return "remote"


def cut_asleep(address: Address, wire: Wire) -> None:
    """Cut the wire once a statement sleeps."""
    asleep = "select 1 from pg_stat_activity where wait_event = 'PgSleep'"
    faults.until(lambda: chain.query(address, asleep))
    wire.cut()


def test_a_cut_connection_leaves_nothing(server18: Server, filled: Address, remote: str) -> None:
    before = state(filled)
    for at in faults.spread(faults.counted(server18, filled), 2):
        wire = Wire(server18.address.port)
        url = f"postgresql://{remote}:{PASSWORD}@127.0.0.1:{wire.port}/{filled.dbname}"
        faults.plan(filled, at, "select pg_sleep(30)")
        cutter = threading.Thread(target=cut_asleep, args=(filled, wire))
        cutter.start()
        with pytest.raises(ConnectionLost, match="nothing was applied"):
            chain.upgrade(filled, url=url, lock_retries="0")
        cutter.join()
        faults.until(lambda: not chain.query(filled, REMOTE))
        assert state(filled) == before, at
    faults.unhook(filled)
    chain.upgrade(filled, lock_wait="0")
