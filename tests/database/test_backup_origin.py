"""Whose a backup is: its server, its database, its day, and the account whose files it is."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from collec_migrations.backup import dump, manifest, store, trial_restore
from collec_migrations.backup.manifest import Manifest
from collec_migrations.backup.store import Backup
from collec_migrations.errors import UsageError
from collec_migrations.postgres import binaries
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.throwaway import QUICK, throwaway
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
    assert other.id in tool("list", "last", "--database", database.dbname, into=tmp_path).stdout
    assert its.id in tool("list", "last", into=tmp_path, url=filled.url).stdout


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
    rewrite(taken.path, old)
    assert "system_identifier" not in (taken.path / manifest.NAME).read_text()
    assert manifest.read(taken.path) == old
    assert store.last_of(store.backups(tmp_path)[0], ("7", filled.dbname)) is not None
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
    rewrite(into / name, replace(taken.manifest, id=name, started=started, finished=started))


def rewrite(folder: Path, about: Manifest) -> None:
    """Put another manifest in the place of the one that is there."""
    (folder / manifest.NAME).unlink()
    manifest.write(folder, about)


def test_extensions_and_settings_stand_in_the_manifest(
    filled: Address, database: Address, tmp_path: Path
) -> None:
    chain.execute(filled, "create extension if not exists pg_trgm")
    chain.execute(filled, f'alter database "{filled.dbname}" set search_path to col, gacl')
    about = backups.taken(filled, tmp_path).manifest
    assert "pg_trgm" in about.extensions
    assert about.settings == (("", "search_path=col, gacl"),)
    shown = tool("list", "last", into=tmp_path, url=filled.url).stdout
    assert "search_path=col, gacl" in shown


@accounts.needs_root
def test_three_accounts_take_turns_in_one_folder(server18: Server, folder: Path) -> None:
    """Root, the owner of the folder and a third one: each sees what it may, and no run stops."""
    owner, into = accounts.somebody(), folder / "backups"
    into.mkdir(mode=0o700)
    os.chown(into, owner.uid, owner.gid)
    server18.create_role("nightly", "n")
    url = server18.tcp_url("nightly", "n", "postgres")
    for who in (None, owner, None, owner, owner):
        assert "failed: []" in accounts.run(TURN, into, url, who=who)
    assert [one for one in into.rglob("*") if one.stat().st_uid != owner.uid] == []
    assert "5 whole, 0 broken" in accounts.run(COUNTED, into, who=owner)
    # A leftover that is root's, as a run before this version made it, stops no night of the owner.
    left = into / f"20200101T000000Z-postgres{store.PARTIAL}"
    left.mkdir(mode=0o700)
    (left / "data.dump").touch()
    said = accounts.run(TURN, into, url, who=owner)
    assert f"left {left.name}: it belongs to root, mode 0700" in said
    assert "failed: []" in said
    accounts.run(TURN, into, url)
    assert not left.exists(), "root's own run removes it"
    backups.execute_alone(replace(server18.address, dbname="postgres"), "drop role nightly")


TURN = """
import sys
from pathlib import Path
from collec_migrations.backup import dump
from collec_migrations.backup.dump import BackupOptions
from collec_migrations.backup.retention import Policy
from collec_migrations.postgres import conninfo
done = dump.run(conninfo.parse(sys.argv[2], source="test"), ["postgres"],
                BackupOptions(into=Path(sys.argv[1])), Policy(), say=print, advance=lambda *_: None)
print("failed:", [str(one.error) for one in done.failed])
"""
COUNTED = """
import sys
from pathlib import Path
from collec_migrations.backup import store
whole, broken = store.backups(Path(sys.argv[1]))
print(len(whole), "whole,", len(broken), "broken")
"""


def test_from_an_installation_to_a_restore_where_another_role_is_superuser(
    server18: Server, tmp_path: Path
) -> None:
    """As on Debian: `postgres` is the superuser, `collec` the owner; elsewhere neither exists."""
    with throwaway(binaries.embedded(), settings=QUICK, superuser="postgres") as debian:
        at = replace(debian, dbname="postgres")
        backups.execute_alone(at, "drop database if exists collec")
        told = {"COLLEC_DB_PASSWORD": "example", "COLLEC_BACKUP_DIR": str(tmp_path)}
        at_work = replace(debian, dbname="collec").url

        def run(*words: str) -> None:
            done = chain.run("collec-migrations", *words, folder=ON_ROOT, variables=told)
            assert done.returncode == 0, done.stdout + done.stderr

        run("install", "--url", at.url, "--yes")
        run("backup", "run", "--url", at_work)
        run("backup", "verify", "last")
        run("rehearse", "--url", at_work)
        run("rehearse", "--from", "last")
        backups.execute_alone(replace(server18.address, dbname="postgres"), "create database moved")
        moved = replace(server18.address, dbname="moved")
        try:
            run("backup", "restore", "last", "--create-roles", "--to", moved.url, "--yes")
            with chain.connected(moved) as connection, connection.cursor() as cursor:
                cursor.execute("select tableowner from pg_tables where tablename = 'dbversion'")
                assert cursor.fetchall() == [("collec",)]
        finally:
            server18.drop_database("moved")
            for role in ("collec", "postgres"):
                chain.execute(replace(moved, dbname="postgres"), f"drop role {role}")
