"""Whose a backup is: its server, its database, its day, and the account whose files it is."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from collec_migrations.backup import dump, manifest, store, trial_restore
from collec_migrations.backup.store import Backup
from collec_migrations.errors import UsageError
from collec_migrations.postgres.address import Address
from tests import accounts, backups, chain
from tests.conftest import Clone, Servers
from tests.servers import Server

ON_ROOT = Path("/")


@pytest.fixture
def filled(server18: Server, clone: Clone) -> Address:
    return clone(backups.laboratory_at(server18, "1.0.8"))


def tool(*words: str, into: Path, url: str = "") -> CompletedProcess[str]:
    told = {"COLLEC_BACKUP_DIR": str(into), "COLLEC_DATABASE_URL": url}
    return chain.run("collec-migrations", "backup", *words, folder=ON_ROOT, variables=told)


def test_two_servers_with_databases_of_one_name_share_a_folder(
    server: Servers, tmp_path: Path
) -> None:
    each = [replace(server(major).address, dbname="postgres") for major in (17, 18)]
    made = [
        backups.run(address, tmp_path, policy=backups.NOTHING).made[0] for address in (*each, *each)
    ]
    assert made[0].origin == made[2].origin != made[1].origin == made[3].origin
    assert all(one.system_identifier and one.server for one in made)
    assert len(backups.ids(tmp_path)) == 4
    with pytest.raises(UsageError, match="of 2 databases"):
        store.find(tmp_path, "last", database="postgres")


def test_last_is_the_last_of_the_database_that_is_meant(
    filled: Address, database: Address, tmp_path: Path
) -> None:
    its, other = backups.taken(filled, tmp_path), backups.taken(database, tmp_path)
    with pytest.raises(UsageError) as raised:
        store.find(tmp_path, "last")
    assert its.id in str(raised.value)
    assert other.id in str(raised.value)
    assert "--database" in raised.value.hint
    assert store.find(tmp_path, "last", database=filled.dbname).id == its.id
    assert other.id in tool("show", "last", "--database", database.dbname, into=tmp_path).stdout
    assert its.id in tool("show", "last", into=tmp_path, url=filled.url).stdout


def test_a_fall_of_rows_is_told_until_somebody_looked(filled: Address, tmp_path: Path) -> None:
    aged(tmp_path, backups.taken(filled, tmp_path), days=40)
    chain.execute(filled, "delete from col.storage")
    said: list[str] = []
    done = backups.run(filled, tmp_path, policy=backups.NOTHING, say=said.append)
    assert done.removed == ()
    assert "col.storage: 500 rows before, 0 now" in done.made[0].falls
    assert any("ROWS FELL" in line for line in said)
    again = tool("run", into=tmp_path, url=filled.url)
    assert again.returncode == 1, "it is compared with the last one that did not fall"
    assert tool("list", into=tmp_path).stdout.count("ROWS FELL") == 2
    assert tool("prune", into=tmp_path).returncode == 2
    assert tool("prune", "--yes", into=tmp_path).returncode == 0
    assert tool("run", into=tmp_path, url=filled.url).returncode == 0
    assert "ROWS FELL" not in tool("list", into=tmp_path).stdout


def test_a_backup_dated_in_the_future_is_not_the_last_for_ever(
    filled: Address, tmp_path: Path
) -> None:
    aged(tmp_path, backups.taken(filled, tmp_path), days=-400)
    chain.execute(filled, "create table later ()")
    said: list[str] = []
    done = backups.run(filled, tmp_path, policy=backups.NOTHING, say=said.append)
    assert store.find(tmp_path, "last").id == done.made[0].id
    assert any("the clock went back" in line for line in said)
    assert len(backups.ids(tmp_path)) == 2


@accounts.needs_root
def test_root_leaves_files_of_the_folders_owner(filled: Address, folder: Path) -> None:
    into, owner = folder / "backups", accounts.somebody()
    into.mkdir(mode=0o700)
    os.chown(into, owner.uid, owner.gid)
    taken = backups.taken(filled, into)
    store.judge(taken, "verified")
    assert [path for path in into.rglob("*") if path.stat().st_uid != owner.uid] == []


SEEN = """
import sys
from pathlib import Path
from collec_migrations.backup import store
from collec_migrations.errors import MigrationError
into, newer = Path(sys.argv[1]), sys.argv[2]
whole, broken = store.backups(into)
print([one.id for one in whole], [(one.id, one.why, one.unreadable) for one in broken])
print("removal:", store.remove(into, newer))
try:
    store.find(into, "last")
except MigrationError as error:
    print("last:", error)
"""


@accounts.needs_root
def test_what_another_account_took_is_called_so(filled: Address, folder: Path) -> None:
    other, into = accounts.somebody(), folder / "backups"
    into.mkdir(mode=0o755)
    older = backups.taken(filled, into)
    newer = backups.taken(filled, into)
    for path in (older.path, *older.path.rglob("*")):
        os.chown(path, other.uid, other.gid)
    seen = accounts.run(SEEN, into, newer.id, who=other)
    assert f"['{older.id}']" in seen
    assert f"('{newer.id}', 'it belongs to root, mode 0700', True)" in seen
    assert "removal: it belongs to root, mode 0700" in seen
    assert f"last: {newer.id} is newer and cannot be read" in seen
    assert newer.path.is_dir(), "a removal that is refused leaves the folder as it was"


def test_a_manifest_of_the_first_format_is_read(filled: Address, tmp_path: Path) -> None:
    taken = backups.taken(filled, tmp_path)
    old = replace(
        taken.manifest, format=1, system_identifier="", server="", position=0, collate="", ctype=""
    )
    manifest.write(taken.path, old)
    assert "system_identifier" not in (taken.path / manifest.NAME).read_text()
    assert manifest.read(taken.path) == old
    assert store.last_of(tmp_path, ("7", filled.dbname)) is not None
    assert trial_restore.verify(store.load(taken.path)).is_sound


def test_the_trial_has_the_locale_of_the_database(server: Servers, tmp_path: Path) -> None:
    """A check by letters holds for accents under C.UTF-8, and fails under C."""
    at = server(15)
    with chain.connected(replace(at.address, dbname="postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "create database accents template template0 encoding 'UTF8'"
                " lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8'"
            )
    try:
        address = replace(at.address, dbname="accents")
        chain.execute(address, "create table t (a text check (a ~ '^[[:alpha:]]+$'))")
        chain.execute(address, "insert into t values ('été')")
        taken = backups.taken(address, tmp_path)
        assert (taken.manifest.collate, taken.manifest.ctype) == ("C.UTF-8", "C.UTF-8")
        assert trial_restore.verify(taken).problems == ()
    finally:
        at.drop_database("accents")


def test_a_server_that_is_away_leaves_its_line(tmp_path: Path) -> None:
    done = tool("run", "--all", into=tmp_path, url="postgresql:///x?host=/nowhere")
    assert done.returncode == 3
    assert "FAILED before the first database" in (tmp_path / dump.LOG).read_text()


def aged(into: Path, taken: Backup, *, days: int) -> None:
    """Let a backup be taken so many days earlier."""
    started = taken.manifest.started - timedelta(days=days)
    name = store.new_id(into, taken.manifest.database, started)
    (into / taken.id).rename(into / name)
    manifest.write(into / name, replace(taken.manifest, id=name, started=started, finished=started))
