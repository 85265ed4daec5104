"""A cluster of Debian: configuration in /etc, started by pg_ctlcluster, cloned by root."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collec_migrations.postgres import programs
from tests import accounts, clusters, servers
from tests.faults import until

MAJOR = "15"
PLACE = Path("/var/lib/postgresql", MAJOR)
ETC = Path("/etc/postgresql", MAJOR)

pytestmark = [
    accounts.needs_root,
    pytest.mark.skipif(not shutil.which("pg_createcluster"), reason="Debian's own programs"),
    pytest.mark.skipif(int(MAJOR) not in servers.majors(), reason="Debian's own major"),
]


@pytest.fixture
def two() -> Iterator[tuple[str, str]]:
    """Give the names of two clusters, of which the first runs."""
    names = (f"collec{os.getpid()}a", f"collec{os.getpid()}b")
    try:
        for name in names:
            port = str(clusters.free_port())
            subprocess.run(
                ["pg_createcluster", MAJOR, name, "-p", port, "--", "--no-sync"],
                check=True,
                capture_output=True,
            )
        control(names[0], "start")
        yield names
    finally:
        for name in names:
            remove(name)


def control(name: str, what: str) -> None:
    """Start or restart a cluster."""
    subprocess.run(["pg_ctlcluster", MAJOR, name, what], check=True, capture_output=True)


def test_root_prepares_and_clones_clusters_of_debian(two: tuple[str, str], tmp_path: Path) -> None:
    first, second = two
    port = (PLACE / first / "postmaster.pid").read_text().splitlines()[3]
    passfile = PLACE / f"{first}.pgpass"
    url = f"host=/var/run/postgresql port={port} user=postgres"
    words = ("replica", "primary", "127.0.0.1", "--url", url)
    told = clusters.command(*words, "--passfile", passfile, "--yes")
    assert f"wrote /etc/postgresql/{MAJOR}/{first}/postgresql.conf" in told.output
    try:
        shutil.chown(passfile, "postgres")
        control(first, "restart")
        assert clusters.command(*words, "--plan").exit_code == 0
        made = clusters.command(
            *("replica", "clone", f"postgresql://127.0.0.1:{port}", "--force"),
            *("--data", PLACE / second, "--name", second, "--passfile", passfile, "--yes"),
        )
    finally:
        passfile.unlink()
    assert made.exit_code == 0, made.output
    listed = ["pg_lsclusters", "--no-header"]
    told_by_debian = subprocess.run(listed, check=True, capture_output=True, text=True).stdout
    (line,) = [line for line in told_by_debian.splitlines() if second in line]
    assert "online,recovery" in line
    assert len(list(PLACE.glob(f"{second}.before-*"))) == 1
    until(lambda: not list(PLACE.glob(f"{second}.cloning")))
    assert dropped_and_made_again(first, port) == "-1"


def remove(name: str) -> None:
    """Remove a cluster, and what was left beside it."""
    subprocess.run(["pg_dropcluster", "--stop", MAJOR, name], check=False, capture_output=True)
    # Debian keeps a folder in /etc that holds a file of somebody else: ours.
    for path in (*PLACE.glob(f"{name}*"), *ETC.glob(name)):
        shutil.rmtree(path)


def dropped_and_made_again(name: str, port: str) -> str:
    """Return what a setting that we wrote is in a later cluster of the same name."""
    conf = ETC / name / "postgresql.conf"
    assert "max_slot_wal_keep_size = " in conf.read_text()
    for words in (["pg_dropcluster", "--stop", MAJOR, name],
                  ["pg_createcluster", MAJOR, name, "-p", port, "--", "--no-sync"]):  # fmt: skip
        subprocess.run(words, check=True, capture_output=True)
    asked: list[str | Path] = [f"/usr/lib/postgresql/{MAJOR}/bin/postgres", "-D", PLACE / name]
    asked += ["-c", f"config_file={conf}", "-C", "max_slot_wal_keep_size"]
    found = programs.run(asked, account=programs.server_account(), folder=Path("/"))
    return found.strip()
