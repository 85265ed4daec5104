"""The page on a site's health: every line turns by a real cause, and nothing stops the page."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest

from collec_migrations.backup import store
from collec_migrations.bridge import detection
from collec_migrations.doctor import (
    Line,
    Page,
    Site,
    copies,
    examination,
    maintenance,
    report,
    server,
)
from collec_migrations.doctor import database as contents
from collec_migrations.doctor.server import Facts
from collec_migrations.names import Names
from collec_migrations.postgres import binaries, conninfo
from collec_migrations.postgres.address import Address
from collec_migrations.postgres.privileges import Extensions
from collec_migrations.postgres.throwaway import FAST, throwaway
from collec_migrations.replica.states import Verdict
from tests import accounts, backups, chain, servers
from tests.accounts import needs_root
from tests.conftest import Clone, Servers
from tests.servers import Server
from tests.standbys import Pair, until

OK, ATTENTION, BROKEN = Verdict.OK, Verdict.ATTENTION, Verdict.BROKEN
LEFT = frozenset({"fsync", "full_page_writes", "synchronous_commit", "autovacuum"})
"""What the tests' servers do without, to be quick."""


@pytest.fixture
def installed(server18: Server, clone: Clone) -> Address:
    """Return a database of the newest version."""
    return clone(chain.template_at(server18, chain.HEAD))


def page(address: Address | str, **changes: object) -> Page:
    dsn = address if isinstance(address, str) else address.dsn
    site = Site(
        address=conninfo.parse(dsn, source="test"),
        pairs=lambda session: detection.find(session).pairs or (Names(),),
    )
    return examination.examine(replace(site, **changes))  # type: ignore[arg-type]  # its fields


def line(found: Page, name: str) -> Line:
    (one,) = [one for one in found.lines if one.name == name]
    return one


def test_a_sound_site_is_ok(whole_server: Server, tmp_path: Path) -> None:
    with whole_server.database(chain.template_at(whole_server, chain.HEAD)) as address:
        taken = backups.taken(address, tmp_path)
        store.judge(taken, "verified")
        found = page(address, backups=tmp_path, ignored=LEFT)
    off = {"data_checksums"} if whole_server.major < 18 else set()
    disks = {"data disk", "backup disk"}
    off |= {"extensions"}  # it lives without PostGIS
    assert {one.name for one in found.counted if one.verdict is not OK} - disks == off
    assert all(one.command for one in found.lines if one.verdict in (ATTENTION, BROKEN))
    for name in LEFT:
        assert line(found, name).verdict is (ATTENTION if name == "synchronous_commit" else BROKEN)
    assert whole_server.binaries.version.split()[0] in line(found, "release").text


ALTER = "do $$ begin execute format('alter database %I set {}', current_database()); end $$"


@pytest.mark.parametrize(
    ("name", "verdict", "damage"),
    [
        ("version", ATTENTION, "drop table col.alembic_version"),
        ("version", BROKEN, "update col.alembic_version set version_num = '1.0.8'"),
        ("version", ATTENTION, "delete from col.dbversion where dbversion_number = '26.2'"),
        ("version", BROKEN, "drop schema col cascade"),
        ("drift", BROKEN, "alter table col.sample drop column metadata cascade"),
        ("drift", ATTENTION, "select setval(pg_get_serial_sequence("
         "'col.mime_type', 'mime_type_id'), 1, false)"),
        ("indexes", ATTENTION, "update pg_index set indisvalid = false"
         " where indexrelid = (select min(indexrelid) from pg_index"
         " where indrelid = 'gacl.logingestion'::regclass)"),
        ("default_transaction_read_only", BROKEN,
         ALTER.format("default_transaction_read_only = on")),
        ("password_encryption", ATTENTION, ALTER.format("password_encryption = md5")),
        ("zero_damaged_pages", BROKEN, ALTER.format("zero_damaged_pages = on")),
        ("track_counts", BROKEN, ALTER.format("track_counts = off")),
    ],
)  # fmt: skip
def test_a_line_turns_by_its_cause(
    installed: Address, name: str, verdict: Verdict, damage: str
) -> None:
    chain.execute(installed, damage)
    told = line(page(installed), name)
    assert told.verdict is verdict, told
    assert told.command
    if "alter database" in damage:
        assert told.command == f"alter database NAME reset {name}"


def test_what_the_application_asks_for_counts(server18: Server, clone: Clone) -> None:
    installed = clone(chain.template_at(server18, "1.1"))
    assert line(page(installed, expected="1.1"), "version").verdict is OK
    assert line(page(installed, expected="1.0.8"), "version").verdict is OK, "its row is there"
    told = line(page(installed, expected="2.0"), "version")
    assert (told.verdict, told.command) == (BROKEN, "collec-migrations upgrade")
    assert told.text.endswith("; the application asks for 2.0")


def test_an_encoding_that_loses_letters_is_broken(server18: Server) -> None:
    main = replace(server18.address, dbname="postgres")
    with closing(psycopg2.connect(main.dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "create database latin encoding 'latin1' lc_collate 'C' lc_ctype 'C'"
                " template template0"
            )
    try:
        assert line(page(replace(main, dbname="latin")), "encoding").verdict is BROKEN
    finally:
        server18.drop_database("latin")


@pytest.fixture(scope="module")
def troubled() -> Iterator[Address]:
    """Give a server on which much is wrong."""
    wrong = {
        "archive_mode": "on", "archive_command": "false", "autovacuum": "off",
        "max_connections": "12",
    }  # fmt: skip
    with throwaway(binaries.embedded(), settings={**FAST, **wrong}) as address:
        yield replace(address, dbname="postgres")


def test_a_server_in_trouble(troubled: Address) -> None:
    chain.query(troubled, "select pg_switch_wal()")
    chain.query(troubled, "select pg_create_physical_replication_slot('left_over', true)")
    until(lambda: chain.query(troubled, "select 1 from pg_stat_archiver where failed_count > 0"))
    found = page(troubled)
    assert line(found, "archiving").verdict is BROKEN
    assert line(found, "autovacuum").verdict is BROKEN
    assert "command line" in line(found, "autovacuum").command
    assert line(found, "slot-inactive").verdict is ATTENTION
    assert "pg_drop_replication_slot('left_over')" in line(found, "slot-inactive").command


def test_settings_that_wait_for_a_restart(troubled: Address) -> None:
    assert line(page(troubled), "restart").verdict is OK
    with closing(psycopg2.connect(troubled.dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("alter system set max_locks_per_transaction = 99")
            cursor.execute("select pg_reload_conf()")
    until(lambda: line(page(troubled), "restart").verdict is ATTENTION)
    assert "max_locks_per_transaction" in line(page(troubled), "restart").text


def test_connections_that_run_out(troubled: Address) -> None:
    with ExitStack() as stack:
        for _ in range(7):
            stack.enter_context(closing(psycopg2.connect(troubled.dsn)))
        assert line(page(troubled), "connections").verdict is ATTENTION
        stack.enter_context(closing(psycopg2.connect(troubled.dsn)))
        assert line(page(troubled), "connections").verdict is BROKEN


def test_a_server_without_wal_and_checksums() -> None:
    chosen = binaries.find(servers.majors()[0])
    minimal = {**FAST, "wal_level": "minimal", "max_wal_senders": "0"}
    with throwaway(chosen, settings=minimal) as address:
        found = page(replace(address, dbname="postgres"))
    assert line(found, "wal_level").verdict is ATTENTION
    assert line(found, "data_checksums").verdict is (ATTENTION if chosen.major < 18 else OK)


@pytest.mark.parametrize(
    ("command", "verdict"),
    [("", BROKEN), ("/bin/true", ATTENTION), ("sleep 1000", None)],
    ids=["empty", "nothing", "hangs"],
)
def test_archiving_that_does_nothing(command: str, verdict: Verdict | None) -> None:
    settings = {**FAST, "archive_mode": "on", "archive_command": command}
    with throwaway(binaries.embedded(), settings=settings) as address:
        for number in range(4):
            chain.execute(address, f"create table t{number} ()")
            chain.query(address, "select pg_switch_wal()")
        found = line(page(address), "archiving")
        if verdict is None:
            # Five minutes are not waited for: what is counted, and what five minutes would say.
            with chain.connected(address) as connection:
                facts = maintenance.read(connection)
            assert facts.archive_waiting >= maintenance.MANY
            late = replace(facts, archive_waits=maintenance.PATIENCE + 1)
            lines = {one.name: one for one in maintenance.judge(late, "x")}
            assert "hangs" in lines["archiving"].text
            verdict = BROKEN
            found = lines["archiving"]
    assert found.verdict is verdict


@pytest.mark.parametrize("recorded", ["'1'", "null"])
def test_a_collation_that_changed(server: Servers, recorded: str) -> None:
    """What is advised mends the line: REFRESH VERSION refuses a collation without a version."""
    if 15 not in servers.majors():
        pytest.skip("the wheels have no collation with a version: PostgreSQL 15 is needed")
    its = server(15)
    with its.database() as address:
        chain.execute(
            address,
            "create collation french (provider = icu, locale = 'fr');"
            "create table sorted (word text collate french);"
            f"update pg_collation set collversion = {recorded} where collname = 'french'",
        )
        found = line(page(address), "collations")
        assert found.verdict is ATTENTION
        assert "public.french" in found.text
        assert ("no recorded version" in found.text) is (recorded == "null")
        with chain.connected(address) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for command in found.command.split("; "):
                    cursor.execute(command)
        assert line(page(address), "collations").verdict is OK


def test_the_backup_of_another_server_is_not_this_ones(
    installed: Address, server: Servers, tmp_path: Path
) -> None:
    with server(17).database() as other:
        backups.taken(replace(other, dbname="postgres"), tmp_path)
    address = replace(installed, dbname="postgres")
    assert line(page(address, backups=tmp_path), "backup").verdict is BROKEN
    assert line(page(replace(address, port=1), backups=tmp_path), "backup").verdict is OK
    taken = backups.taken(address, tmp_path)
    assert taken.id in line(page(address, backups=tmp_path), "backup").text


def test_a_server_that_is_down_is_one_line_and_backups_are_told(tmp_path: Path) -> None:
    found = page("host=/nowhere dbname=x", backups=tmp_path)
    assert found.verdict is BROKEN
    assert {one.name for one in found.lines} >= {"connection", "backup", "standbys"}
    assert line(found, "connection").verdict is BROKEN


def test_a_lock_does_not_make_a_monitor_wait(
    installed: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "SLOW", 0.3)
    with closing(psycopg2.connect(installed.dsn)) as holder, holder.cursor() as cursor:
        cursor.execute("lock table col.dbversion in access exclusive mode")
        found = page(installed)
    told = line(found, "database")
    assert (told.verdict, "no answer" in told.text) == (ATTENTION, True)
    assert line(found, "connections").verdict is OK


def test_backups_get_old_and_are_found_damaged(installed: Address, tmp_path: Path) -> None:
    def told(name: str, **later: float) -> Verdict | None:
        now = datetime.now(UTC) + timedelta(**later)
        (one,) = [
            one for one in copies.backups(tmp_path, ("", installed.dbname), now) if one.name == name
        ]  # fmt: skip
        return one.verdict

    assert told("backup") is BROKEN
    taken = backups.taken(installed, tmp_path)
    assert (told("backup"), told("verified")) == (OK, ATTENTION)
    assert (told("backup", hours=31), told("backup", days=9)) == (ATTENTION, BROKEN)
    store.judge(taken, "verified")
    assert (told("verified"), told("verified", days=36)) == (OK, ATTENTION)
    (tmp_path / f"20260101T000000Z-x{store.PARTIAL}").mkdir()
    assert told("complete") is ATTENTION
    store.judge(taken, "damaged")
    assert told("verified") is BROKEN


@needs_root
def test_a_backup_folder_of_another_account_is_not_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    code = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC;"
        "from collec_migrations.doctor import copies;"
        "print([(one.name, one.verdict) for one in"
        " copies.backups(Path(sys.argv[1]), ('', ''), datetime.now(UTC))])"
    )
    told = accounts.run(code, tmp_path / "into", who=accounts.somebody())
    assert told == "[('backup', None)]\n"


def test_standbys_are_judged(pair18: Pair) -> None:
    until(lambda: (lag := pair18.report().node("b").lag) is not None and lag.to_replay == 0)
    nodes = (pair18.a.named, pair18.b.named)
    primary = pair18.a.named.address.dsn
    assert line(page(primary, nodes=nodes), "b").verdict is OK
    (alone,) = [one for one in page(primary).lines
                if one.group == "standbys" and "streaming" in one.text]  # fmt: skip
    assert alone.verdict is OK
    pair18.b.sql("select pg_wal_replay_pause()")
    pair18.write(pair18.a, "while it is paused")
    until(lambda: line(page(primary, nodes=nodes), "b").verdict is ATTENTION)
    pair18.b.kill()
    told = line(page(primary, nodes=nodes), "b")
    assert (told.verdict, bool(told.command)) == (BROKEN, True)
    assert line(page(pair18.b.named.address.dsn), "connection").verdict is BROKEN


RELEASE = Facts(version=150018, release="15.18", in_recovery=False, pending=(), installed=())


@pytest.mark.parametrize(
    ("day", "verdict"),
    [("2027-05-14", OK), ("2027-05-16", ATTENTION), ("2027-11-11", ATTENTION),
     ("2027-11-12", BROKEN)],
)  # fmt: skip
def test_a_release_comes_to_its_end(day: str, verdict: Verdict) -> None:
    release, _ = server.judge(RELEASE, date.fromisoformat(day))
    assert release.verdict is verdict


def test_a_package_that_is_newer_than_the_server_waits_for_a_restart() -> None:
    newer = replace(RELEASE, installed=(15, 20))
    assert [one.verdict for one in server.judge(newer, date(2026, 1, 1))] == [OK, ATTENTION]
    unknown, _ = server.judge(replace(RELEASE, version=190000), date(2026, 1, 1))
    assert unknown.verdict is None


@pytest.mark.parametrize(
    ("name", "changes", "verdict"),
    [
        ("transactions", {"oldest": 3500.0}, OK),
        ("transactions", {"oldest": 3700.0}, ATTENTION),
        ("transactions", {"oldest": 90000.0}, BROKEN),
        ("transactions", {"prepared": 3700.0}, ATTENTION),
        ("transactions", {"prepared": 90000.0}, BROKEN),
        ("ids", {"age": 399_000_000}, OK),
        ("ids", {"age": 401_000_000}, ATTENTION),
        ("ids", {"age": 1_700_000_000}, BROKEN),
    ],
)
def test_what_takes_long_to_go_wrong(
    database: Address, name: str, changes: dict[str, float], verdict: Verdict
) -> None:
    with closing(psycopg2.connect(database.dsn)) as connection:
        facts = maintenance.read(connection)
    changed = replace(facts, **changes)  # type: ignore[arg-type]  # names of its fields
    (told,) = [one for one in maintenance.judge(changed, "x") if one.name == name]
    assert told.verdict is verdict


@pytest.mark.parametrize(("free", "verdict"), [(100, OK), (90, ATTENTION), (10, BROKEN)])
def test_a_disk_that_fills(tmp_path: Path, free: int, verdict: Verdict) -> None:
    assert (
        report.disk_space("maintenance", "data disk", tmp_path, free=free, total=999).verdict
        is verdict
    )


def test_what_leaves_the_machine_in_clear() -> None:
    def told(ssl: str, listen: str) -> Verdict | None:
        found = {"ssl": (ssl, ""), "listen_addresses": (listen, "")}
        (one,) = [one for one in server.judge_settings(found) if one.name == "ssl"]
        return one.verdict

    assert told("off", "*") is ATTENTION
    assert told("off", "localhost,10.0.0.1") is ATTENTION
    assert told("on", "*") is told("off", "localhost, 127.0.0.1") is told("off", "") is OK


def test_extensions_that_a_version_needs() -> None:
    def told(version: str, installed: tuple[str, ...], available: tuple[str, ...]) -> Line:
        return contents.needed(
            version,
            Extensions(
                version=150000,
                installed=dict.fromkeys(installed, "public"),
                available=dict.fromkeys(available, True),
            ),
        )

    assert told("1.1", (), ()).verdict is OK
    assert told("2.4", ("pg_trgm", "postgis"), ()).verdict is OK
    there = told("2.4", ("pg_trgm",), ("postgis",))
    assert (there.verdict, there.command) == (BROKEN, "create extension postgis")
    assert "Install its package" in told("2.4", ("pg_trgm",), ()).command
