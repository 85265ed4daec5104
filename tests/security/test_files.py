"""Root in folders of others: what they laid there is neither followed, filled nor waited for."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collec_migrations import application
from collec_migrations.backup import dump, manifest, store
from collec_migrations.errors import NotABackup, UsageError
from collec_migrations.postgres import files
from tests.accounts import needs_root, somebody

SECRET = b"of the system\n"


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    """End a test that waits for a FIFO."""
    signal.alarm(20)
    yield
    signal.alarm(0)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """Return a file of root's that nobody else may read or write."""
    path = tmp_path / "victim"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return path


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Return a folder of somebody else's, with a backup's folder in it."""
    who = somebody()
    folder = tmp_path / "theirs"
    (folder / "20260101T000000Z-lab").mkdir(parents=True)
    for path in (folder, folder / "20260101T000000Z-lab"):
        os.chown(path, who.uid, who.gid)
    return folder


def lay_link(path: Path, victim: Path) -> None:
    """Lay a link as the owner of the folder would."""
    path.symlink_to(victim)
    owner = path.parent.stat()
    os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def lay_second_name(path: Path, victim: Path) -> None:
    """Lay a second name of somebody's file, which some systems let anybody do."""
    os.link(victim, path)


def lay_fifo(path: Path, victim: Path) -> None:
    """Lay a FIFO, at which an ordinary open waits for ever."""
    del victim
    os.mkfifo(path)


def take_lock(folder: Path) -> None:
    """Take the lock of a backup folder."""
    with store.locked(folder):
        pass


def write_log(folder: Path) -> None:
    """Write into the log of a backup folder; what hinders it is not told there."""
    dump.log_failure(folder, UsageError("x"), lambda _: None)


@needs_root
@pytest.mark.parametrize("lay", [lay_link, lay_second_name, lay_fifo])
@pytest.mark.parametrize(("name", "use"), [(".lock", take_lock), ("backup.log", write_log)])
def test_a_file_that_somebody_laid_is_not_written(
    theirs: Path,
    victim: Path,
    name: str,
    use: Callable[[Path], None],
    lay: Callable[[Path, Path], None],
) -> None:
    before = victim.stat()
    lay(theirs / name, victim)
    if use is take_lock:
        with pytest.raises(OSError):  # noqa: PT011  (which one depends on what was laid)
            use(theirs)
    else:
        use(theirs)
    assert victim.read_bytes() == SECRET
    assert victim.stat().st_uid == before.st_uid


@needs_root
@pytest.mark.parametrize("lay", [lay_link, lay_second_name, lay_fifo])
def test_a_verdict_does_not_go_through_a_link(
    theirs: Path, victim: Path, lay: Callable[[Path, Path], None]
) -> None:
    path = theirs / "20260101T000000Z-lab" / "verdict.json"
    lay(path.with_name("verdict.json.partial"), victim)
    files.replace(path, b"{}", partial=path.with_name("verdict.json.partial"))
    assert victim.read_bytes() == SECRET
    assert path.read_bytes() == b"{}"
    assert path.stat().st_uid == theirs.stat().st_uid


@needs_root
@pytest.mark.parametrize("lay", [lay_link, lay_fifo])
def test_a_manifest_and_settings_are_plain_files(
    theirs: Path, victim: Path, lay: Callable[[Path, Path], None]
) -> None:
    backup = theirs / "20260101T000000Z-lab"
    lay(backup / manifest.NAME, victim)
    with pytest.raises(NotABackup):
        manifest.read(backup)
    assert store.backups(theirs)[0] == ()
    lay(theirs / "param.inc.php", victim)
    with pytest.raises(UsageError, match="cannot read"):
        application.read_text(theirs / "param.inc.php")


def test_links_of_a_sites_own_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("<?php")
    (tmp_path / "param.inc.php").symlink_to(tmp_path / "real")
    assert application.read_text(tmp_path / "param.inc.php") == "<?php"


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(files.LIMIT + 1)
    with pytest.raises(OSError, match="larger"):
        files.read(tmp_path / "large")
