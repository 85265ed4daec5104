"""Whatever goes wrong is noticed, is no backup, and leaves the older ones as they were."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from collec_migrations.backup import dump, manifest, restoration, store, trial_restore
from collec_migrations.backup.dump import BackupOptions
from collec_migrations.backup.restoration import RestoreOptions
from collec_migrations.backup.store import Backup
from collec_migrations.errors import (
    BackupDamaged,
    BackupInProgress,
    MigrationError,
    NotABackup,
    RestoreRefused,
)
from collec_migrations.postgres import conninfo
from collec_migrations.postgres.address import Address
from tests import accounts, backups, chain
from tests.accounts import needs_root
from tests.conftest import Clone
from tests.servers import Server

Fault = Callable[[int], None]


@pytest.fixture
def filled(server18: Server, clone: Clone) -> Address:
    """Return a laboratory at 1.0.8."""
    return clone(backups.laboratory_at(server18, "1.0.8"))


@pytest.fixture
def large(server18: Server, clone: Clone) -> Address:
    """Return a laboratory whose dump takes a second or more."""
    return clone(backups.large_at(server18, "1.0.8"))


@pytest.fixture
def older(filled: Address, tmp_path: Path) -> Iterator[Backup]:
    """Give a backup that was made before, and see that nothing happens to it."""
    taken = backups.taken(filled, tmp_path)
    yield taken
    assert taken.id in backups.ids(tmp_path)
    assert not list(store.problems(taken))


def failed_at(address: Address, into: Path, fault: Fault) -> str:
    """Back up, let a fault happen once the dump is under way; return why it failed."""
    done: list[int] = []

    def advance(written: int, _: int) -> None:
        if written > 100_000 and not done:
            done.append(written)
            fault(written)

    outcome = backups.run(address, into, advance=advance)
    assert done, "the dump was too quick for the fault"
    assert outcome.made == ()
    (failure,) = outcome.failed
    assert failure.database == address.dbname
    return f"{failure.error} {failure.error.hint}"


def children() -> list[int]:
    """Return the processes that we started and that are pg_dump."""
    text = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    found = [int(word) for word in text.split()]
    return [pid for pid in found if Path(f"/proc/{pid}/comm").read_text() == "pg_dump\n"]


def only(older: Backup, into: Path) -> None:
    """See that there is nothing but the older backup."""
    assert backups.ids(into) == [older.id]
    _, broken = store.backups(into)
    assert broken == ()


def test_a_dump_that_fails_in_the_middle(large: Address, older: Backup, tmp_path: Path) -> None:
    def end_session(_: int) -> None:
        chain.query(
            large,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and query ~* '^copy'",
        )

    # The server's last words, or, where pg_dump did not come to read them, what libpq saw.
    said = failed_at(large, tmp_path, end_session)
    assert re.search("closed the connection|terminating connection", said), said
    only(older, tmp_path)


def test_a_dump_that_is_killed(large: Address, older: Backup, tmp_path: Path) -> None:
    def kill(_: int) -> None:
        for pid in children():
            os.kill(pid, signal.SIGKILL)

    assert "killed by signal 9" in failed_at(large, tmp_path, kill)
    only(older, tmp_path)


RUN = """
import sys
from pathlib import Path
from collec_migrations.postgres import conninfo
from collec_migrations.backup import dump
from collec_migrations.backup.dump import BackupOptions
dump.run(conninfo.Address(sys.argv[1]), [sys.argv[2]], BackupOptions(into=Path(sys.argv[3])), None,
            say=print, advance=lambda done, total: print(done, flush=True))
"""


def test_a_run_that_is_killed_keeps_others_out_until_its_dump_ends(
    large: Address, filled: Address, older: Backup, tmp_path: Path
) -> None:
    with accounts.spawn(RUN, large.dsn, large.dbname, tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip().isdigit() and int(line) > 100_000:
                break
        process.send_signal(signal.SIGKILL)
    assert backups.ids(tmp_path) == [older.id]
    _, broken = store.backups(tmp_path)
    assert [one.why for one in broken] == ["it was never completed"]
    with pytest.raises(BackupInProgress):
        backups.run(large, tmp_path)
    outcome = _once_free(filled, tmp_path)
    assert backups.ids(tmp_path) == [older.id, outcome.made[0].id]
    assert store.backups(tmp_path)[1] == ()


def _once_free(address: Address, into: Path) -> dump.Outcome:
    deadline = time.monotonic() + 60
    while True:
        try:
            return backups.run(address, into)
        except BackupInProgress:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_two_runs_at_once(filled: Address, older: Backup, tmp_path: Path) -> None:
    with store.locked(tmp_path), pytest.raises(BackupInProgress) as caught:
        backups.run(filled, tmp_path)
    assert caught.value.exit_status == 75
    assert str(os.getpid()) in str(caught.value)


@contextmanager
def disk_of(megabytes: int, folder: Path) -> Iterator[None]:
    """Mount a small file system, as root may."""
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "collec-test", str(folder))
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system may be mounted here")
    try:
        yield
    finally:
        subprocess.run(("umount", str(folder)), check=True)


@needs_root
def test_a_disk_that_fills_up_during_the_dump(large: Address, tmp_path: Path) -> None:
    small = tmp_path / "small"

    def fill(_: int) -> None:
        with suppress(OSError), (small / "of somebody else").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))

    with disk_of(90, small):
        assert "No space left" in failed_at(large, small, fill)
        assert store.backups(small) == ((), ())


@needs_root
def test_documents_that_will_not_fit_are_refused_before(large: Address, tmp_path: Path) -> None:
    small = tmp_path / "small"
    with disk_of(60, small):
        (failure,) = backups.run(large, small).failed
        assert "needs" in str(failure.error)
        assert [path.name for path in small.iterdir() if path.is_dir()] == []


def test_a_limit_on_the_size_of_files(large: Address, older: Backup, tmp_path: Path) -> None:
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (9_000_000,) * 2)\n{RUN}"
    told = accounts.run(code, large.dsn, large.dbname, tmp_path)
    assert f"killed by signal {signal.SIGXFSZ}" in told or "File too large" in told
    only(older, tmp_path)


def test_too_little_room_is_seen_before(
    filled: Address, older: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Usage())
    (failure,) = backups.run(filled, tmp_path).failed
    assert "1.0 MB free" in str(failure.error)
    only(older, tmp_path)


class _Usage:
    free = 1_000_000


def test_a_table_that_is_locked(filled: Address, older: Backup, tmp_path: Path) -> None:
    with chain.connected(filled) as holder, holder.cursor() as cursor:
        cursor.execute("lock table col.sample in access exclusive mode")
        (failure,) = backups.run(filled, tmp_path, lock_wait=0.3).failed
    assert "lock" in str(failure.error) + failure.error.hint
    only(older, tmp_path)


def test_a_wrong_password(server18: Server, filled: Address, older: Backup, tmp_path: Path) -> None:
    server18.create_role("nightly", "the right one")
    wrong = conninfo.parse(server18.tcp_url("nightly", "a%20wrong%20one", filled.dbname), source="")
    try:
        outcome = dump.run(
            wrong,
            [filled.dbname],
            BackupOptions(into=tmp_path),
            None,
            say=print,
            advance=lambda *_: None,
        )
    finally:
        chain.execute(server18.address, "drop role nightly")
    (failure,) = outcome.failed
    assert "password authentication failed" in str(failure.error)
    assert "a wrong one" not in f"{failure.error} {failure.error.hint}"
    only(older, tmp_path)


def test_a_role_that_may_not_read_everything(
    server18: Server, filled: Address, older: Backup, tmp_path: Path
) -> None:
    server18.create_role("curious", "x")
    address = conninfo.parse(server18.tcp_url("curious", "x", filled.dbname), source="")
    try:
        outcome = dump.run(
            address,
            [filled.dbname],
            BackupOptions(into=tmp_path),
            None,
            say=print,
            advance=lambda *_: None,
        )
    finally:
        chain.execute(server18.address, "drop role curious")
    assert "permission denied" in str(outcome.failed[0].error)
    only(older, tmp_path)


def test_a_failed_database_does_not_stop_the_others(filled: Address, tmp_path: Path) -> None:
    said: list[str] = []
    outcome = dump.run(
        conninfo.Address(filled.dsn),
        ["there is no such database", filled.dbname],
        BackupOptions(into=tmp_path),
        None,
        say=said.append,
        advance=lambda *_: None,
    )
    assert [one.database for one in outcome.failed] == ["there is no such database"]
    assert [one.database for one in outcome.made] == [filled.dbname]
    log = (tmp_path / dump.LOG).read_text()
    assert [line.split()[1] for line in log.splitlines()] == ["start", "FAILED", "start", "end"]


def test_a_bit_flipped_in_each_file(filled: Address, tmp_path: Path) -> None:
    taken = backups.taken(filled, tmp_path, jobs=2)
    for file in taken.manifest.files:
        if file.size:
            with _flipped(taken.path / file.path):
                (problem,) = store.problems(store.load(taken.path))
                assert file.path in problem
                with pytest.raises(BackupDamaged):
                    store.refuse_damaged(taken)
    with _flipped(taken.path / manifest.NAME):
        assert backups.ids(tmp_path) == []
    assert not list(store.problems(taken))


class _flipped:  # noqa: N801  (used as a function)
    """Change one bit in the middle of a file, for a block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = path.read_bytes()

    def __enter__(self) -> None:
        changed = bytearray(self._content)
        changed[len(changed) // 2] ^= 1
        self._path.write_bytes(changed)

    def __exit__(self, *_: object) -> None:
        self._path.write_bytes(self._content)


def test_a_truncated_and_a_missing_file(filled: Address, tmp_path: Path) -> None:
    taken = backups.taken(filled, tmp_path)
    data = taken.path / "data.dump"
    content = data.read_bytes()
    data.write_bytes(content[:-1])
    assert backups.ids(tmp_path) == []
    data.unlink()
    assert backups.ids(tmp_path) == []
    data.write_bytes(content)
    assert backups.ids(tmp_path) == [taken.id]


@pytest.mark.parametrize(
    ("old", "new"),
    [('"reason": "nightly"', '"reason": "weekly"'), ("{", "{{"), ('"format": 2', '"format": 3')],
    ids=["edited", "not JSON", "another format"],
)
def test_a_manifest_that_was_edited(filled: Address, tmp_path: Path, old: str, new: str) -> None:
    taken = backups.taken(filled, tmp_path)
    path = taken.path / manifest.NAME
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(NotABackup):
        store.load(taken.path)
    assert backups.ids(tmp_path) == []


def test_a_folder_without_a_manifest_and_a_file_that_was_added(
    filled: Address, tmp_path: Path
) -> None:
    taken = backups.taken(filled, tmp_path)
    (taken.path / "more").write_text("")
    assert list(store.problems(taken)) == ["more was added"]
    (taken.path / manifest.NAME).unlink()
    assert backups.ids(tmp_path) == []


def test_a_damaged_backup_is_marked_and_does_not_count_for_retention(
    filled: Address, tmp_path: Path
) -> None:
    sound = backups.taken(filled, tmp_path)
    damaged = backups.taken(filled, tmp_path)
    with _flipped(damaged.path / "data.dump"):
        assert not trial_restore.verify(damaged).is_sound
        assert store.load(damaged.path).verdict == "damaged"
        assert dump.expired(store.backups(tmp_path)[0], backups.NOTHING) == ()
    assert sound.id in backups.ids(tmp_path)


def test_an_archive_of_other_rows_with_a_true_checksum(filled: Address, tmp_path: Path) -> None:
    taken = backups.taken(filled, tmp_path)
    chain.execute(filled, "delete from gacl.log where log_id = (select max(log_id) from gacl.log)")
    other = backups.taken(filled, tmp_path / "other")
    archive = (other.path / "data.dump").read_bytes()
    (taken.path / "data.dump").write_bytes(archive)
    (taken.path / manifest.NAME).unlink()
    rows = taken.manifest.rows
    forged = manifest.describe(taken.path)
    manifest.write(taken.path, _with(taken, files=forged))
    found = trial_restore.verify(store.load(taken.path))
    assert found.problems == (
        f"gacl.log has {rows['gacl.log'] - 1} rows, not {rows['gacl.log']} rows",
    )


def _with(taken: Backup, **changes: object) -> manifest.Manifest:
    return replace(taken.manifest, **changes)  # type: ignore[arg-type]  # names of its fields


def test_an_older_client_is_refused(server18: Server, filled: Address, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("pg_dump", "pg_dumpall", "pg_restore"):
        (folder / name).write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
        (folder / name).chmod(0o755)
    wish = BackupOptions(into=tmp_path / "into", bin_dir=folder)
    outcome = dump.run(
        conninfo.Address(filled.dsn),
        [filled.dbname],
        wish,
        None,
        say=print,
        advance=lambda *_: None,
    )
    assert "older than the server" in str(outcome.failed[0].error)


def test_a_lost_server_is_a_failed_backup(filled: Address, older: Backup, tmp_path: Path) -> None:
    nowhere = conninfo.Address("host=/nowhere dbname=x")
    outcome = dump.run(
        nowhere,
        ["x"],
        BackupOptions(into=tmp_path),
        backups.NOTHING,
        say=print,
        advance=lambda *_: None,
    )
    assert isinstance(outcome.failed[0].error, MigrationError)
    assert outcome.removed == ()


def test_nothing_is_removed_when_the_new_backup_failed(
    filled: Address, older: Backup, tmp_path: Path
) -> None:
    with psycopg2.connect(filled.dsn) as holder, holder.cursor() as cursor:
        cursor.execute("lock table col.sample in access exclusive mode")
        outcome = backups.run(filled, tmp_path, lock_wait=0.2, policy=backups.NOTHING)
    holder.close()
    assert outcome.removed == ()
    only(older, tmp_path)


def test_a_folder_that_may_not_be_written_is_one_clear_line(
    filled: Address, tmp_path: Path
) -> None:
    (tmp_path / store.LOCK).mkdir()
    with pytest.raises(MigrationError, match="could not be made: is a directory"):
        backups.run(filled, tmp_path)


def test_a_restore_that_fails_leaves_nothing(
    server18: Server, filled: Address, database: Address, tmp_path: Path
) -> None:
    taken = backups.taken(filled, tmp_path)
    # Whatever is created in `col` fails: the restore is well on its way by then.
    chain.execute(
        database,
        "create function public.refuse() returns event_trigger language plpgsql as $$ begin"
        " if exists (select 1 from pg_event_trigger_ddl_commands() where schema_name = 'col'"
        " and object_type = 'table') then raise 'not here'; end if; end $$;"
        " create event trigger refuse on ddl_command_end execute function public.refuse()",
    )
    with pytest.raises(RestoreRefused, match="nothing was restored") as refused:
        restoration.restore(
            taken, RestoreOptions(target=conninfo.Address(database.dsn), renamed={}), say=print
        )
    assert "not here" in refused.value.hint
    left = "select nspname from pg_namespace where nspname in ('gacl', 'col')"
    assert chain.query(database, left) == []
