"""A throwaway server leaves nothing behind."""

import time
from pathlib import Path

import pytest

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import binaries, cluster, files, postmaster
from collec_migrations.postgres.postmaster import Postmaster
from collec_migrations.postgres.throwaway import throwaway
from tests import accounts
from tests.accounts import needs_root

WAIT = """
import time
from collec_migrations.postgres import binaries
from collec_migrations.postgres.throwaway import throwaway
with throwaway(binaries.embedded()) as address:
    print(address.host, flush=True)
    time.sleep(600)
"""


def test_it_is_gone_afterwards_even_after_an_error(folder: Path) -> None:
    seen: list[Postmaster | None] = []

    def fail() -> None:
        with throwaway(binaries.embedded(), folder=folder) as address:
            seen.append(postmaster.running(Path(address.host, "data")))
            cluster.psql(binaries.embedded(), address, "select 1/0")

    with pytest.raises(ServerFailed, match="does not answer"):
        fail()
    assert seen[0]
    assert not postmaster.is_alive(seen[0].pid)
    assert not list(folder.iterdir())


def test_it_does_not_wait_for_the_disk(folder: Path) -> None:
    with throwaway(binaries.embedded(), folder=folder) as address:
        assert cluster.psql(binaries.embedded(), address, "show fsync") == "off\n"


def test_it_keeps_its_promises_to_the_disk_when_asked_to(folder: Path) -> None:
    with throwaway(binaries.embedded(), folder=folder, settings={}) as address:
        assert cluster.psql(binaries.embedded(), address, "show fsync") == "on\n"


def test_it_is_gone_when_its_caller_is_killed() -> None:
    with accounts.spawn(WAIT) as process:
        assert process.stdout is not None
        host = Path(process.stdout.readline().strip())
        running = postmaster.running(host / "data")
        assert running
        process.kill()
    wait_until_gone(host)
    assert not postmaster.is_alive(running.pid)


def wait_until_gone(path: Path) -> None:
    deadline = time.monotonic() + 60
    while path.exists():
        assert time.monotonic() < deadline, f"{path} is still there"
        time.sleep(0.01)


@needs_root
def test_a_folder_out_of_reach_is_one_clear_line(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with (
        pytest.raises(ServerFailed, match="cannot reach"),
        throwaway(binaries.embedded(), folder=closed),
    ):
        pass
    assert not list(closed.iterdir())


LEFT = """
import os, sys, signal
from pathlib import Path
from collec_migrations.postgres import files
folder, _ = files.make_temporary(Path(sys.argv[1]))
(folder / "a copy of the site").write_text("rows")
print(folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_left_is_removed_by_the_next(folder: Path) -> None:
    with accounts.spawn(LEFT, folder) as process:
        out, _ = process.communicate(timeout=60)
    left = Path(out.strip())
    assert (left / "a copy of the site").exists()
    foreign = folder / "collec-somebody-elses"
    foreign.mkdir()
    with files.temporary_folder(folder) as mine:
        assert not left.exists()
        with files.temporary_folder(folder) as another:
            assert mine.exists(), "one that is in use stays"
            assert another != mine
    assert list(folder.iterdir()) == [foreign]
