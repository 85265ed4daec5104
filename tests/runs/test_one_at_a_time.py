"""Runs on one database never interleave: the others wait, say for whom, or give up."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from collec_migrations.errors import ConnectionFailed
from collec_migrations.postgres.address import Address
from tests import chain, faults, proxy
from tests.servers import Server

HELD = (
    "select 1 from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' and granted"
    " and database = (select oid from pg_database where datname = current_database())"
)
BLOCKED = "select pid from pg_locks where locktype = 'advisory' and not granted"
ALEMBIC = ("alembic", "upgrade", "head")
TOOL = ("collec-migrations", "upgrade", "--yes")


def start(words: tuple[str, ...], address: Address, **variables: str) -> subprocess.Popen[str]:
    """Start a command on a database."""
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("PG", "COLLEC_"))}
    return subprocess.Popen(
        [str(Path(sys.executable).parent / words[0]), *words[1:]],
        cwd=chain.ROOT,
        env={
            **inherited,
            "COLLEC_DATABASE_URL": address.url,
            "COLLEC_WITHOUT_POSTGIS": "yes",
            **variables,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def steps(address: Address) -> list[tuple[object, ...]]:
    """Return the versions in the history, and the number of runs that created the rights."""
    return chain.query(address, "select version from col.migration_history order by 1")


def test_runs_at_once_do_the_work_once(database: Address) -> None:
    commands = (ALEMBIC, TOOL, ALEMBIC, TOOL, ALEMBIC)
    running = [start(command, database) for command in commands]
    ended = [process.communicate(timeout=120) for process in running]
    shown = [out + err for out, err in ended]
    assert [process.returncode for process in running] == [0] * len(commands), shown
    assert steps(database) == [(chain.HEAD,)]
    assert chain.catalog(database) == chain.known(chain.HEAD)
    assert sum("created with the password" in text for text in shown) == 1


def hold(address: Address) -> subprocess.Popen[str]:
    """Start a run that holds the lock until it is ended."""
    faults.plan(address, 5, "select pg_sleep(600)")
    process = start(ALEMBIC, address)
    faults.until(lambda: chain.query(address, HELD))
    return process


@pytest.mark.parametrize(("command", "status"), [(ALEMBIC, 255), (TOOL, 3)])
def test_who_waits_says_for_whom_and_gives_up(
    filled: Address, command: tuple[str, ...], status: int
) -> None:
    holder = hold(filled)
    ((pid,),) = chain.query(filled, HELD.replace("select 1", "select pid"))
    waiting = start(command, filled, COLLEC_LOCK_WAIT="1")
    saw = faults.blocked_inside(filled, waiting)
    out, err = waiting.communicate(timeout=60)
    holder.kill()
    holder.communicate()
    assert waiting.returncode == status, out + err
    assert not saw
    for text in (f"waiting for another run on this database: pid {pid}, user super", "since 20"):
        assert text in err
    assert f"another run holds this database: pid {pid}, user super" in out + err
    assert "lock_wait" in out + err
    assert "Traceback" not in out + err


def test_a_killed_run_leaves_no_lock(filled: Address) -> None:
    holder = hold(filled)
    waiting = start(TOOL, filled, COLLEC_LOCK_WAIT="30")
    said = (waiting.stderr or sys.stdin).readline()
    assert "waiting for another run" in said
    chain.execute(filled, "delete from faults.planned")
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, out + err
    assert (chain.HEAD,) in steps(filled)


def test_the_lock_is_released_by_a_run_that_fails(filled: Address) -> None:
    faults.plan(filled, 5, faults.RAISE)
    failing = start(TOOL, filled)
    assert "a fault" in failing.communicate()[1]
    assert failing.returncode == 3
    assert not chain.query(filled, HELD)


def test_runs_on_two_databases_do_not_wait_for_each_other(
    filled: Address, database: Address
) -> None:
    holder = hold(filled)
    assert chain.upgrade(database, lock_wait="0")
    holder.kill()
    holder.communicate()


def test_another_role_waits_though_it_sees_less_of_the_holder(
    server18: Server, filled: Address
) -> None:
    server18.create_role("other_lab", "x")
    url = server18.tcp_url("other_lab", "x", filled.dbname)
    holder = hold(filled)
    done = chain.alembic("-x", "lock_wait=0", "stamp", "1.0.8", url=url)
    holder.kill()
    holder.communicate()
    assert "user super, collec-migrations, since an unknown time" in done.stdout


def test_a_pooler_in_transaction_mode_is_refused_with_what_to_do(
    database: Address,
) -> None:
    with (
        proxy.pooler(database) as pooled,
        pytest.raises(ConnectionFailed, match="pooler in transaction mode") as refused,
    ):
        chain.upgrade(pooled)
    assert "Connect to the server itself" in refused.value.hint
    assert chain.query(database, "select 1 from pg_namespace where nspname = 'col'") == []
    chain.upgrade(database, lock_wait="0")


def test_the_lock_is_free_as_soon_as_a_run_ends(database: Address) -> None:
    """A server ends a session, and frees what it holds, some time after its client has left."""
    with chain.connected(database) as watching, watching.cursor() as cursor:
        watching.autocommit = True
        for version in ("1.0", "1.0.4", "1.0.5"):
            chain.upgrade(database, version)
            cursor.execute(HELD)
            assert cursor.fetchall() == []
