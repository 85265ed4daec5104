"""A backup is complete, and a restore brings back the same catalog and the same rows."""

import json
import shutil
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from collec_migrations.backup import (
    client_programs,
    dump,
    manifest,
    restoration,
    snapshot,
    store,
    trial_restore,
)
from collec_migrations.backup.restoration import Restored, RestoreOptions
from collec_migrations.backup.store import Backup
from collec_migrations.errors import ConnectionFailed, RestoreRefused, UsageError
from collec_migrations.postgres import binaries, conninfo
from collec_migrations.postgres.address import Address
from tests import backups, chain, servers
from tests.conftest import Clone, Servers
from tests.servers import Server

ODD = 'my "base" of %s'


@pytest.fixture
def filled(server18: Server, clone: Clone) -> Address:
    """Return a laboratory at 1.0.8."""
    return clone(backups.laboratory_at(server18, "1.0.8"))


def order(target: Address, **renamed: str) -> RestoreOptions:
    return RestoreOptions(target=conninfo.Address(target.dsn), renamed=renamed)


@pytest.mark.parametrize("jobs", [1, 2], ids=["custom", "directory"])
def test_a_restore_gives_the_same_catalog_and_rows(
    whole_server: Server, tmp_path: Path, jobs: int
) -> None:
    with whole_server.database(backups.laboratory_at(whole_server, "1.0.8")) as filled:
        taken = backups.taken(filled, tmp_path, jobs=jobs)
        with whole_server.database() as target:
            restoration.restore(taken, order(target), say=print)
            assert chain.catalog(target) == chain.catalog(filled)
            assert backups.contents(target, "gacl", "col", "public") == backups.contents(
                filled, "gacl", "col", "public"
            )
            objects = "select convert_from(lo_get(oid), 'utf8') from pg_largeobject_metadata"
            assert chain.query(target, objects) == [("kept apart",)]
        found = trial_restore.verify(taken)
        assert found.is_sound, found.problems


@pytest.mark.parametrize("newer", [17, 18])
def test_a_backup_of_an_older_server_is_verified_and_restored_in_a_newer_one(
    server: Servers, tmp_path: Path, newer: int
) -> None:
    if not {15, newer} <= set(servers.majors()):
        pytest.skip(f"PostgreSQL 15 and {newer} are needed")
    old, new = server(15), server(newer)
    with (
        old.database(backups.laboratory_at(old, "1.0.8")) as filled,
        new.database() as target,
    ):
        taken = backups.taken(filled, tmp_path)
        found = trial_restore.verify(taken, major=newer)
        assert found.is_sound, found.problems
        assert found.server_version.startswith(f"{newer}.")
        restoration.restore(taken, order(target), say=print)
        assert backups.contents(target, "gacl", "col") == backups.contents(filled, "gacl", "col")
        assert chain.catalog(target) == chain.catalog(filled)


def test_a_backup_is_never_tried_in_an_older_server(filled: Address, tmp_path: Path) -> None:
    about = backups.taken(filled, tmp_path).manifest
    assert (
        trial_restore.server_for(replace(about, server_version="15.4", client_version="15.4")).major
        >= 15
    )
    for older in (replace(about, server_version="99.1"), replace(about, client_version="99.1")):
        with pytest.raises(RestoreRefused, match="a backup of PostgreSQL 99"):
            trial_restore.server_for(older)
    with pytest.raises(RestoreRefused, match="no PostgreSQL 9 "):
        trial_restore.server_for(about, 9)


def test_a_build_without_zstd_is_not_asked_to_read_it(filled: Address, tmp_path: Path) -> None:
    taken = backups.taken(filled, tmp_path)
    able = [one for one in client_programs.at_hand() if one.major >= 18 and one.has_zstd()]
    squeezed = replace(taken.manifest, compression="zstd:3")
    if able:
        assert trial_restore.server_for(squeezed, 18)
    else:
        with pytest.raises(RestoreRefused, match=r"PostgreSQL 18 \(zstd:3\)"):
            trial_restore.server_for(squeezed, 18)


def test_what_this_build_compresses_best_is_what_is_written(
    whole_server: Server, tmp_path: Path
) -> None:
    its = trial_restore.tools_of(whole_server.binaries)
    with whole_server.database() as address:
        taken = backups.taken(address, tmp_path)
    assert taken.manifest.compression == ("zstd:3" if its.has_zstd() else "gzip:3")
    listed = [its.program("pg_restore"), "--list", str(taken.path / "data.dump")]
    told = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    assert f"Compression: {taken.manifest.compression.partition(':')[0]}" in told or (
        its.major < 16 and "Compression: " in told
    )


UNREADABLE = """
alter table col.dbversion
add extra integer generated always as (1 / (dbversion_id - dbversion_id)) virtual"""


@pytest.mark.parametrize(
    ("damage", "recognised"),
    [
        (UNREADABLE, []),
        (
            "alter table col.dbversion alter dbversion_id drop default,"
            " alter dbversion_id type text using 'first'",
            ["1.0.8"],
        ),
    ],
    ids=["a query fails", "an id is a word"],
)
def test_what_cannot_be_recognised_is_backed_up_all_the_same(
    filled: Address, tmp_path: Path, damage: str, recognised: list[str]
) -> None:
    chain.execute(filled, damage)
    taken = backups.taken(filled, tmp_path)
    assert [one.version for one in taken.manifest.schemas] == recognised
    found = trial_restore.verify(taken)
    assert found.is_sound, found.problems


def test_a_first_dump_of_documents_fits_into_the_room_that_was_asked_for(
    server18: Server, filled: Address, tmp_path: Path
) -> None:
    backups.add_documents(filled, 8)
    with snapshot.open_snapshot(conninfo.Address(filled.dsn), lock_wait=5) as found:
        most = snapshot.first_size(found.tables, found.large_bytes)
    written = backups.taken(filled, tmp_path).manifest.size
    assert 8 << 20 < written < most < 2 * written


def test_an_odd_name_with_settings_and_rights_comes_back(server18: Server, tmp_path: Path) -> None:
    template = backups.laboratory_at(server18, "1.0.8")
    odd = server18.create_database(ODD, template)
    target = server18.create_database("somewhere else")
    quoted = '"my ""base"" of %s"'
    try:
        chain.execute(odd, f'alter database {quoted} set search_path to col, "A b,c", public')
        chain.execute(odd, f"alter database {quoted} set work_mem to '7MB'")
        chain.execute(odd, f"comment on database {quoted} is 'the laboratory''s'")
        chain.execute(odd, f"revoke temporary on database {quoted} from public")
        taken = backups.taken(odd, tmp_path)
        assert taken.manifest.database == ODD
        restoration.restore(taken, order(target, col="Biology x"), say=print)
        with chain.connected(target) as connection, connection.cursor() as cursor:
            cursor.execute(
                "select current_setting('search_path'), current_setting('work_mem'),"
                " shobj_description(oid, 'pg_database'),"
                " has_database_privilege('public', oid, 'temp') from pg_database"
                " where datname = current_database()"
            )
            assert cursor.fetchone() == (
                '"Biology x", "A b,c", public', "7MB", "the laboratory's", False
            )  # fmt: skip
        assert backups.contents(target, "Biology x").values()
        assert list(backups.contents(target, "Biology x").values()) == list(
            backups.contents(odd, "col").values()
        )
    finally:
        server18.drop_database(ODD)
        server18.drop_database("somewhere else")


def test_only_its_owner_may_read_a_backup(filled: Address, tmp_path: Path) -> None:
    into = tmp_path / "new" / "folder"
    backups.taken(filled, into, jobs=2)
    for path in (into, *into.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_all_leaves_out_templates_and_closed_databases(server18: Server, filled: Address) -> None:
    closed = server18.create_database()
    template = server18.create_database()
    dropped = server18.create_database()
    try:
        maintenance = replace(filled, dbname="postgres")
        # As an interrupted DROP DATABASE leaves it, from 15.4 on.
        interrupted = f"datconnlimit = -2 where datname = '{dropped.dbname}'"
        chain.execute(maintenance, f"update pg_database set {interrupted}")
        for name, option in ((closed, "allow_connections false"), (template, "is_template true")):
            chain.execute(maintenance, f"alter database {name.dbname} {option}")
        said: list[str] = []
        names = dump.databases(
            conninfo.Address(filled.dsn), database=None, all_of_them=True, say=said.append
        )
        why = "it does not accept connections"
        left_out = (closed.dbname, dropped.dbname)
        assert sorted(said) == sorted(f"left out {name!r}: {why}" for name in left_out)
        assert filled.dbname in names
        assert not {*left_out, template.dbname, "template0", "template1"} & set(names)
    finally:
        chain.execute(maintenance, f"alter database {template.dbname} is_template false")
        server18.drop_database(closed.dbname)
        server18.drop_database(dropped.dbname)
        server18.drop_database(template.dbname)


def test_the_manifest_says_what_was_dumped(filled: Address, tmp_path: Path) -> None:
    about = backups.taken(filled, tmp_path).manifest
    assert [(one.col, one.version) for one in about.schemas] == [("col", "1.0.8")]
    assert about.rows["col.storage"] == 500
    assert about.large_objects == 1
    assert {"data.dump", "globals.sql", "database.json"} < {file.path for file in about.files}
    assert any(file.path.endswith("pg_hba.conf") for file in about.files)


def test_a_row_written_during_the_dump_is_neither_counted_nor_dumped(
    filled: Address, server18: Server, tmp_path: Path
) -> None:
    with snapshot.open_snapshot(conninfo.Address(filled.dsn), lock_wait=5) as found:
        chain.execute(filled, "insert into gacl.aclgroup (groupe) values ('late')")
        counted = snapshot.count_rows(found.connection, [one.name for one in found.tables])
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            found.connection.cursor().execute("create table col.of_the_backup ()")
    (now,) = chain.query(filled, "select count(*) from gacl.aclgroup")[0]
    assert counted["gacl.aclgroup"] == int(str(now)) - 1


def test_what_only_its_own_server_has_does_not_make_a_backup_damaged(
    server18: Server, tmp_path: Path
) -> None:
    with server18.database() as address:
        with chain.connected(address) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("set allow_in_place_tablespaces = on")
                cursor.execute("create tablespace elsewhere location ''")
        try:
            chain.execute(address, "create table apart tablespace elsewhere as select 1")
            chain.execute(
                address,
                f"alter database {address.dbname} set work_mem to '7MB';"
                " update pg_db_role_setting set setconfig = array['gone_since=off']"
                " where setdatabase = (select oid from pg_database where datname = "
                "current_database())",
            )
            found = trial_restore.verify(backups.taken(address, tmp_path))
            assert found.is_sound, found.problems
        finally:
            chain.execute(address, "drop table if exists apart")
            with chain.connected(address) as connection:
                connection.autocommit = True
                connection.cursor().execute("drop tablespace elsewhere")


def test_folders_of_somebody_else_are_left_alone(database: Address, tmp_path: Path) -> None:
    for name in ("lost+found", "a download.partial", "mine.removed"):
        (tmp_path / name).mkdir()
    killed = tmp_path / "20260102T200000Z-collec.partial"
    killed.mkdir()
    taken = backups.taken(database, tmp_path)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
        "lost+found", "a download.partial", "mine.removed", taken.id,
    }  # fmt: skip
    assert store.backups(tmp_path)[1] == ()
    taken.path.rename(tmp_path / "before the move")
    ((renamed,), left) = (store.backups(tmp_path)[1], store.backups(tmp_path)[0])
    assert (left, "was renamed" in renamed.why) == ((), True)


def test_a_database_with_tables_is_refused(filled: Address, tmp_path: Path) -> None:
    taken = backups.taken(filled, tmp_path)
    before = backups.contents(filled, "gacl", "col")
    with pytest.raises(RestoreRefused, match="holds"):
        restoration.restore(taken, order(filled), say=print)
    assert backups.contents(filled, "gacl", "col") == before


def test_missing_roles_are_told_or_made_as_they_were(server18: Server, tmp_path: Path) -> None:
    server18.create_role("a user", "the password of a user")
    with server18.database(backups.laboratory_at(server18, "1.0.8")) as filled:
        chain.execute(filled, 'alter table col.sample owner to "a user"')
        verifier = chain.query(filled, "select rolpassword from pg_authid where rolname = 'a user'")
        taken = backups.taken(filled, tmp_path)
        chain.execute(filled, 'reassign owned by "a user" to super; drop role "a user"')
    with server18.database() as target:
        with pytest.raises(RestoreRefused, match="a user"):
            restoration.restore(taken, order(target), say=print)
        assert chain.query(target, "select 1 from pg_namespace where nspname = 'col'") == []
        restoration.restore(taken, replace(order(target), create_roles=True), say=print)
        query = "select rolpassword from pg_authid where rolname = 'a user'"
        assert chain.query(target, query) == verifier
        owner = "select tableowner from pg_tables where tablename = 'sample'"
        assert chain.query(target, owner) == [("a user",)]


def test_one_schema_comes_with_its_owner_and_rights(server18: Server, tmp_path: Path) -> None:
    server18.create_role("reader_of_a_schema", "of a schema")
    try:
        with server18.database(backups.laboratory_at(server18, "1.0.8")) as filled:
            chain.execute(filled, "grant usage on schema gacl to reader_of_a_schema")
            taken = backups.taken(filled, tmp_path)
            with server18.database() as target:
                wish = replace(order(target), schemas=("gacl",))
                restoration.restore(taken, wish, say=print)
                assert backups.contents(target, "gacl") == backups.contents(filled, "gacl")
                query = "select has_schema_privilege('reader_of_a_schema', 'gacl', 'usage')"
                assert chain.query(target, query) == [(True,)]
                assert not backups.contents(target, "col")
    finally:
        chain.execute(server18.address, "drop role reader_of_a_schema")


def test_a_schema_that_the_backup_has_not_is_a_usage_error(
    filled: Address, database: Address, tmp_path: Path
) -> None:
    taken = backups.taken(filled, tmp_path)
    with pytest.raises(UsageError, match="no schema 'other'"):
        restoration.restore(taken, replace(order(database), schemas=("other",)), say=print)


def test_a_verified_backup_is_marked_and_loses_the_mark_with_its_manifest(
    database: Address, tmp_path: Path
) -> None:
    taken = backups.taken(database, tmp_path)
    trial_restore.verify(taken)
    assert store.load(taken.path).verdict == "verified"
    verdict = taken.path / store.VERDICT
    verdict.write_text(json.dumps({**json.loads(verdict.read_text()), "manifest": "another"}))
    assert store.load(taken.path).verdict == ""


def test_a_backup_that_is_read_is_not_removed(filled: Address, tmp_path: Path) -> None:
    from collec_migrations.backup import store

    taken = backups.taken(filled, tmp_path)
    with store.reading(taken.path):
        assert store.remove(tmp_path, taken.id) == "it is being read"
    assert not store.remove(tmp_path, taken.id)
    assert backups.ids(tmp_path) == []


def test_a_missing_database_is_named_with_the_command_that_makes_it(
    filled: Address, database: Address, tmp_path: Path
) -> None:
    taken = backups.taken(filled, tmp_path)
    missing = replace(database, dbname="not there")
    with pytest.raises(ConnectionFailed) as raised:
        restored(taken, missing)
    command = raised.value.hint.removeprefix("Create it first: ")
    assert "'not there'" in command
    assert "--encoding=UTF8" in command
    bin_dir = binaries.embedded().bin_dir
    subprocess.run(("/bin/sh", "-c", f"{bin_dir}/{command}"), check=True, timeout=60)
    try:
        assert restored(taken, missing).rows == sum(taken.manifest.rows.values())
    finally:
        backups.execute_alone(replace(missing, dbname="postgres"), 'drop database "not there"')


def test_a_schema_that_is_there_already_is_named(
    filled: Address, database: Address, tmp_path: Path
) -> None:
    taken = backups.taken(filled, tmp_path)
    chain.execute(database, "create schema col")
    with pytest.raises(RestoreRefused, match='already has the schema "col"'):
        restored(taken, database)
    chain.execute(database, "drop schema col")
    assert restored(taken, database).tables == len(taken.manifest.rows)


def test_another_encoding_is_refused_unless_told(
    server18: Server, filled: Address, tmp_path: Path
) -> None:
    taken = backups.taken(filled, tmp_path)
    maintenance = replace(filled, dbname="postgres")
    ascii_ = "create database any_bytes template template0 encoding 'SQL_ASCII' locale 'C'"
    backups.execute_alone(maintenance, ascii_)
    target = replace(filled, dbname="any_bytes")
    try:
        with pytest.raises(RestoreRefused, match="has the encoding SQL_ASCII"):
            restored(taken, target)
        assert restored(taken, target, any_encoding=True).tables == len(taken.manifest.rows)
    finally:
        server18.drop_database("any_bytes")


def restored(taken: Backup, target: Address, *, any_encoding: bool = False) -> Restored:
    options = RestoreOptions(
        target=conninfo.Address(target.dsn), renamed={}, any_encoding=any_encoding
    )
    return restoration.restore(taken, options, say=lambda _: None)


def test_an_exact_id_is_meant_although_another_one_begins_with_it(
    filled: Address, tmp_path: Path
) -> None:
    made = backups.taken(filled, tmp_path)
    longer = tmp_path / f"{made.id}2"
    shutil.copytree(made.path, longer)
    (longer / manifest.NAME).unlink()
    manifest.write(longer, replace(made.manifest, id=longer.name))
    assert store.find(tmp_path, made.id).id == made.id
    assert store.find(tmp_path, f"{made.id}2").id == f"{made.id}2"
    with pytest.raises(UsageError, match="several backups"):
        store.find(tmp_path, made.id[:8])
