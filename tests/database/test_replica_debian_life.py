"""The whole life of two clusters of Debian, by root: their configuration stays in /etc."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg2
import pytest

from collec_migrations.postgres import postmaster
from tests import accounts, clusters, servers
from tests.database.test_replica_debian import ETC, MAJOR, PLACE, control, remove
from tests.database.test_replica_life import replica
from tests.standbys import until

pytestmark = [
    pytest.mark.soak,
    accounts.needs_root,
    pytest.mark.skipif(not shutil.which("pg_createcluster"), reason="Debian's own programs"),
    pytest.mark.skipif(int(MAJOR) not in servers.majors(), reason="Debian's own major"),
]
HBA = """local all all trust
host all postgres,rep,rewind 127.0.0.1/32 trust
host replication rep 127.0.0.1/32 trust
"""
CONF = "wal_log_hints = on\nmax_slot_wal_keep_size = '1GB'\nwal_keep_size = '64MB'\nfsync = off\n"
NAMES = (f"collec{os.getpid()}c", f"collec{os.getpid()}d")


@pytest.fixture
def ports() -> Iterator[dict[str, int]]:
    """Give two clusters, the first of which runs, by the names and ports of both."""
    found = {name: clusters.free_port() for name in NAMES}
    with ExitStack() as stack:
        for name, port in found.items():
            stack.callback(remove, name)
            made = ["pg_createcluster", MAJOR, name, "-p", str(port), "--", "--no-sync"]
            subprocess.run(made, check=True, capture_output=True)
            (ETC / name / "pg_hba.conf").write_text(HBA)
            with (ETC / name / "postgresql.conf").open("a") as file:
                file.write(CONF)
        control(NAMES[0], "start")
        yield found


def sql(port: int, *statements: str) -> object:
    """Run statements; return the first value of the last one."""
    dsn = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]  # a row
    finally:
        connection.close()


def test_clusters_of_debian_fail_over_come_back_and_change_roles(
    ports: dict[str, int],
) -> None:
    first, _ = NAMES
    sql(
        ports[first],
        "create role rep login replication",
        "create role rewind login superuser",
        "create table life (what text)",
        "insert into life values ('first')",
    )
    passfile = PLACE / f"{first}.pgpass"
    passfile.touch(mode=0o600)
    passfile.write_text("*:*:*:*:not-asked\n")
    shutil.chown(passfile, "postgres")
    try:
        life(ports, passfile)
    finally:
        passfile.unlink()


def life(ports: dict[str, int], passfile: Path) -> None:
    first, second = NAMES
    by = ("--passfile", passfile)
    nodes = [
        f"{name}=host=127.0.0.1 port={port} user=postgres dbname=postgres"
        for name, port in ports.items()
    ]
    named = [word for text in nodes for word in ("--node", text)]
    done(
        *("clone", f"postgresql://127.0.0.1:{ports[first]}", "--force"),
        *("--data", PLACE / second, "--name", second, *by, "--yes"),
    )
    found = postmaster.running(PLACE / first)
    assert found
    os.kill(found.pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{found.pid}").exists())
    done("promote", *named, "--yes")
    sql(ports[second], "insert into life values ('second')")
    told = done("rejoin", "--data", PLACE / first, "--name", first, *by, *named, "--yes")
    assert "after a rewind" in told
    assert "online,recovery" in listed(first)
    done(
        "promote", "--switchover", "--data", PLACE / second, "--name", second, *by, *named, "--yes"
    )
    assert "online,recovery" in listed(second)
    sql(ports[first], "insert into life values ('third')")
    until(lambda: sql(ports[second], "select count(*) from life") == 3)
    done("status", *named)
    assert (ETC / first / "pg_hba.conf").read_text() == HBA
    assert not (PLACE / first / "postgresql.conf").exists()


def done(*words: object) -> str:
    status, told = replica(*words)
    assert status == 0, told
    return told


def listed(name: str) -> str:
    rows = subprocess.run(["pg_lsclusters", "-h"], check=True, capture_output=True, text=True)
    return next(line for line in rows.stdout.splitlines() if name in line)
