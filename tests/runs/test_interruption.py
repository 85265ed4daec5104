"""Ctrl-C and SIGTERM: the running statement ends on the server at once, and nothing is applied."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests import accounts, chain, servers
from tests.conftest import Clone
from tests.servers import Server

SLEEPING = """
create function col.sleeps() returns trigger language plpgsql as
$$ begin perform pg_sleep(120); return new; end $$;
create trigger sleeps before insert or delete on col.dbversion
for each row execute procedure col.sleeps();
"""
ASLEEP = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
COMMANDS = {
    "alembic": ("1.0.8", "alembic", "upgrade", "1.1"),
    "upgrade": ("1.0.8", "collec-migrations", "upgrade", "1.1", "--yes"),
    "downgrade": ("1.1", "collec-migrations", "downgrade", "1.0.8", "--yes"),
}


def start(*words: str, **variables: str) -> subprocess.Popen[str]:
    """Start a command that heeds signals, whatever the tests were started by."""
    return subprocess.Popen(
        [str(Path(sys.executable).parent / words[0]), *words[1:]],
        cwd=chain.ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=accounts.heed_signals,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_signal_cancels_the_statement_and_the_run(
    server18: Server, clone: Clone, command: str, number: signal.Signals
) -> None:
    version, *words = COMMANDS[command]
    address = clone(chain.template_at(server18, version))
    before = chain.catalog(address)
    chain.execute(address, SLEEPING)
    process = start(*words, COLLEC_DATABASE_URL=address.url)
    while chain.query(address, ASLEEP) == [(0,)]:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode != 0
    assert f"ended by {number.name}" in told
    assert "nothing was applied" in told
    assert chain.query(address, ASLEEP) == [(0,)]
    chain.execute(address, "drop function col.sleeps() cascade")
    assert chain.catalog(address) == before
    assert chain.query(address, "select version_num from col.alembic_version") == [(version,)]


def busy_below(pid: int) -> set[str]:
    """Return the backends, below this process, that run a statement."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    parents = {int(row[0]): int(row[1]) for row in rows}

    def is_below(one: int) -> bool:
        while one in parents and one != pid:
            one = parents[one]
        return one == pid

    return {
        row[0]
        for row in rows
        if row[2:] and row[2].startswith("postgres: ") and is_below(int(row[0]))
        and row[2].endswith((" SELECT", " INSERT", " DO"))
    }  # fmt: skip


def test_a_signal_ends_a_rehearsal_and_its_server(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "1.0.8"))
    chain.execute(address, SLEEPING)
    scratch = Path(tempfile.mkdtemp(dir=servers.scratch()))
    scratch.chmod(0o1777)
    words = ("rehearse", "--to", "1.1")
    where = {"COLLEC_DATABASE_URL": address.url, "COLLEC_SCRATCH": str(scratch)}
    process = start("collec-migrations", *words, **where)
    seen: list[set[str]] = []
    while not set.intersection(*(seen[-5:] or [set()])) or len(seen) < 5:
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
        seen.append(busy_below(process.pid))
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "ended by SIGTERM" in told
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("ended_by", ["connect_timeout", "signal"])
def test_a_host_that_never_answers_is_given_up(ended_by: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        limit = " connect_timeout=2" if ended_by == "connect_timeout" else ""
        url = f"host=127.0.0.1 port={port} dbname=x user=x{limit}"
        process = start("collec-migrations", "detect", COLLEC_DATABASE_URL=url)
        with silent.accept()[0]:
            if not limit:
                process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=60)
    assert process.returncode == 3
    assert ("timeout expired" if limit else "ended by SIGTERM") in told
    assert "Traceback" not in told
