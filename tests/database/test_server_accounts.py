"""The embedded server under root, an ordinary user and a stranger: nobody else comes in."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from collec_migrations.errors import ServerFailed
from collec_migrations.postgres import binaries, cluster, embedded, programs
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.cluster import Cluster
from tests import accounts
from tests.accounts import needs_root
from tests.database.test_server import ENSURE, cluster_of, ensure, modes

STOP = """
import sys
from pathlib import Path
from collec_migrations.postgres import embedded
print(embedded.stop(Path(sys.argv[1])))
"""


@pytest.fixture
def closed() -> Iterator[Path]:
    """Return a folder below one that only its owner may enter, as /root is."""
    top = Path(tempfile.mkdtemp(prefix="collec-closed-", dir="/tmp"))
    below = top / "below"
    below.mkdir()
    try:
        yield below
    finally:
        found = embedded.find(below)
        if found:
            cluster.stop(found)
            shutil.rmtree(found.home)
        shutil.rmtree(top)


def psql_as_a_stranger(address: Address) -> subprocess.CompletedProcess[str]:
    command = [str(binaries.embedded().program("psql")), "-X", "-d", address.dsn, "-c", "select 1"]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd="/",
        env=programs.environment(),
        check=False,
        **accounts.somebody().identity(),
    )


@needs_root
def test_an_ordinary_user_has_a_server_of_his_own(folder: Path) -> None:
    who = accounts.somebody()
    mine = folder / "mine"
    mine.mkdir()
    os.chown(mine, who.uid, who.gid)
    first = accounts.run(ENSURE, mine, who=who)
    assert "said: making" in first
    private = mine / ".collec"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert {path.stat().st_uid for path in private.rglob("*")} == {who.uid}
    assert accounts.run(ENSURE, mine, who=who) == first.splitlines()[-1] + "\n"
    with pytest.raises(ServerFailed, match=f"belongs to {who.name}"):
        ensure(mine)
    assert accounts.run(STOP, mine, who=who) == "True\n"
    shutil.rmtree(private)


@needs_root
def test_a_folder_that_an_ordinary_user_may_not_write_is_one_clear_line(folder: Path) -> None:
    with accounts.spawn(ENSURE, folder, who=accounts.somebody()) as process:
        _, err = process.communicate(timeout=60)
    assert f"ServerFailed: permission denied: {folder}/.collec" in err.splitlines()[-1]


@needs_root
def test_root_below_a_closed_folder_puts_the_data_where_the_server_reaches(closed: Path) -> None:
    before = modes(closed)
    address, said = ensure(closed)
    home = cluster_of(closed).home
    assert home.parent == embedded.SHARED
    assert str(home) in said[0]
    assert (closed / ".collec" / "elsewhere").read_text() == f"{home}\n"
    assert cluster.psql(binaries.embedded(), address, "select 1") == "1\n"
    assert modes(closed) == before
    assert embedded.stop(closed)
    assert ensure(closed)[0] == address


@needs_root
def test_the_server_does_not_run_as_root(folder: Path) -> None:
    ensure(folder)
    owner = cluster_of(folder).data.stat().st_uid
    assert owner == programs.server_account().uid != 0


@needs_root
def test_root_may_choose_the_account(folder: Path) -> None:
    who = accounts.somebody()
    assert programs.server_account({programs.ACCOUNT_VARIABLE: who.name}) == who
    for refused in ("root", "no-such-account"):
        with pytest.raises(ServerFailed, match=refused) as caught:
            programs.server_account({programs.ACCOUNT_VARIABLE: refused})
        assert programs.ACCOUNT_VARIABLE in caught.value.hint


@needs_root
def test_a_stranger_does_not_reach_the_socket(folder: Path) -> None:
    address, _ = ensure(folder)
    done = psql_as_a_stranger(address)
    assert done.returncode == 2
    assert "Permission denied" in done.stderr


@needs_root
def test_a_stranger_who_reaches_the_socket_is_not_let_in(folder: Path) -> None:
    address, _ = ensure(folder)
    socket = Path(address.host, ".s.PGSQL.5432")
    socket.chmod(0o777)
    socket.parent.chmod(0o711)
    done = psql_as_a_stranger(address)
    assert done.returncode == 2
    assert "Peer authentication failed" in done.stderr


@needs_root
def test_binaries_out_of_reach_are_copied_once(closed: Path, folder: Path) -> None:
    found = binaries.embedded()
    package = found.bin_dir.parents[1]
    for tree in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(tree, closed / tree.name)
    hidden = binaries.in_folder(closed / package.name / "pginstall" / "bin")
    who, cache = programs.server_account(), folder / "cache"
    assert not hidden.run_as(who)
    copied = binaries.reachable(hidden, who, cache)
    assert copied.run_as(who)
    made = copied.bin_dir.stat().st_ctime_ns
    assert binaries.reachable(hidden, who, cache) == copied
    assert copied.bin_dir.stat().st_ctime_ns == made
    assert [path.name for path in cache.iterdir()] == [f"{package.name}-{found.version}"]
    home = folder / "home"
    home.mkdir()
    os.chown(home, who.uid, who.gid)
    cluster.make(Cluster(home=home, binaries=copied, account=who), "--no-sync")


@needs_root
def test_binaries_that_cannot_be_copied_are_one_clear_line(folder: Path, closed: Path) -> None:
    bin_dir = closed / "bin"
    bin_dir.mkdir()
    for name in binaries.NEEDED:
        (bin_dir / name).symlink_to(binaries.embedded().program(name))
    hidden = binaries.in_folder(bin_dir)
    with pytest.raises(ServerFailed, match="cannot run"):
        binaries.reachable(hidden, programs.server_account(), folder / "cache")


@needs_root
def test_a_full_disk_leaves_no_half_made_data(folder: Path) -> None:
    small = folder / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", str(small)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        with pytest.raises(ServerFailed, match="initdb failed") as caught:
            ensure(small)
        assert "No space left on device" in caught.value.hint
        assert not cluster_of(small).data.exists()
        assert not list(cluster_of(small).home.glob("data*"))
    finally:
        with suppress(ServerFailed):
            embedded.stop(small)
        subprocess.run(["umount", str(small)], check=True)
