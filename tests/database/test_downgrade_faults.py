"""A step down that fails, is killed or loses its connection leaves everything as it was."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg2
import pytest

from collec_migrations.errors import ConnectionLost, MigrationError, StatementFailed
from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data
from tests import accounts, chain, servers
from tests.builders import rows
from tests.conftest import Clone
from tests.servers import Server

SCHEMAS = ("gacl", "gacl_archive", "col", "col_archive")
OBJECTS = """
select n.nspname, c.relname, c.relkind::text, pg_get_userbyid(c.relowner),
       obj_description(c.oid, 'pg_class')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%s) order by 1, 2
"""
LOCKED = (
    *("gacl.passwordlost", "col.label", "col.container_type", "col.printer"),
    *("col.project_group", "col.sample_type", "col.sample", "col.storage", "col.dbversion"),
)
"""Tables that the step from 1.1 takes one after the other: a held lock stops it there."""


def build(address: Address) -> None:
    """Make a database with rows everywhere, and with an archive of the upgrade."""
    chain.upgrade(address, "1.0.8")
    with chain.connected(address) as connection:
        sample_data.fill(connection, chain.DEFAULT, movements=50)
        connection.commit()
    chain.upgrade(address, "1.1")
    with chain.connected(address) as connection:
        sample_data.fill(connection, chain.DEFAULT, movements=50)
        connection.commit()


def everything(address: Address) -> tuple[object, ...]:
    with chain.connected(address) as connection:
        dumped = [rows.dump_rows(connection, schema) for schema in SCHEMAS]
    return chain.catalog(address), dumped, chain.query(address, OBJECTS, list(SCHEMAS))


FAILING = """
create function public.fail_at() returns event_trigger language plpgsql as $$
declare
    number integer := coalesce(nullif(current_setting('test.number', true), ''), '0')::integer + 1;
begin
    perform set_config('test.number', number::text, false);
    if number = current_setting('test.fail_at')::integer then
        raise exception 'failed on purpose at command %', number;
    end if;
end
$$;
create event trigger fail_at on ddl_command_end execute function public.fail_at();
"""


def positions(version: str) -> int:
    """Return how far apart the failing commands are: all would take minutes."""
    return 5 if version == "1.0.8" else 13


@pytest.mark.parametrize("version", ["1.0.8", "1.0", "base"])
def test_a_statement_that_fails_anywhere(server18: Server, clone: Clone, version: str) -> None:
    address = clone(server18.template("downgrade_faults", build))
    chain.execute(address, FAILING)
    before = everything(address)
    failed = 0
    for position in range(1, 2000, positions(version)):
        database = f"alter database {address.dbname} set test.fail_at = {position}"
        chain.execute(address, database)
        try:
            chain.downgrade(address, version, destroy="yes")
        except StatementFailed as error:
            assert f"failed on purpose at command {position}" in str(error)  # noqa: PT017
            failed += 1
            assert everything(address) == before
        else:
            break
    assert failed >= 5
    assert everything(address) != before


@pytest.fixture(scope="module")
def fragile() -> Iterator[Server]:
    """Return a server of its own: a backend that is killed takes all others with it."""
    with servers.running(18) as server:
        yield server


DOWN = """
import sys
from collec_migrations.migrate import verbs
verbs.downgrade({"url": sys.argv[1], "lock_timeout": "100"}, "1.0.8", say=print)
"""


def wait_for_lock(server: Server, dbname: str) -> int:
    """Return the process of the backend that waits for a lock in a database."""
    waiting = (
        "select pid from pg_stat_activity where datname = %s and wait_event_type = 'Lock'"
        " and application_name = 'collec-migrations'"
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = chain.query(server.address, waiting, dbname)
        if found:
            return int(str(found[0][0]))
        time.sleep(0.02)
    raise AssertionError("the run never waited")


def wait_for_server(server: Server) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            chain.query(server.address, "select 1")
        except psycopg2.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def end(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    return out + err


@pytest.mark.parametrize("table", LOCKED)
def test_the_client_is_killed(fragile: Server, table: str) -> None:
    with fragile.database(fragile.template("downgrade_faults", build)) as address:
        before = everything(address)
        with chain.connected(address) as other, other.cursor() as cursor:
            cursor.execute(f"lock table {table}")
            with accounts.spawn(DOWN, address.url) as process:
                backend = wait_for_lock(fragile, address.dbname)
                process.send_signal(signal.SIGKILL)
                end(process)
            # The server notices a dead client when it next writes to it: end the wait.
            other.rollback()
            gone = "select 1 from pg_stat_activity where pid = %s"
            deadline = time.monotonic() + 30
            while chain.query(fragile.address, gone, backend):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        assert everything(address) == before
        chain.downgrade(address, "1.0.8")


@pytest.mark.parametrize("table", LOCKED[::4])
def test_the_backend_is_killed(fragile: Server, table: str) -> None:
    with fragile.database(fragile.template("downgrade_faults", build)) as address:
        before = everything(address)
        other = psycopg2.connect(address.dsn)
        with other.cursor() as cursor:
            cursor.execute(f"lock table {table}")
        with accounts.spawn(DOWN, address.url) as process:
            os.kill(wait_for_lock(fragile, address.dbname), signal.SIGKILL)
            told = end(process)
        with suppress(psycopg2.Error):
            other.close()
        assert ConnectionLost.__name__ in told
        assert "Nothing was applied" in told or "the connection was lost" in told
        wait_for_server(fragile)
        assert everything(address) == before
        chain.downgrade(address, "1.0.8")


def test_a_lock_that_is_never_given(server18: Server, clone: Clone) -> None:
    address = clone(server18.template("downgrade_faults", build))
    before = everything(address)
    with chain.connected(address) as other, other.cursor() as cursor:
        cursor.execute("lock table col.storage in access share mode")
        with pytest.raises(MigrationError):
            chain.downgrade(address, "1.0.8", lock_timeout="0.2", lock_retries="0")
    assert everything(address) == before
