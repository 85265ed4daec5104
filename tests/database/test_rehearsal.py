"""A rehearsal tells how an upgrade would go, and leaves its source as it was."""

import json
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from collec_migrations.backup import rehearsal, rehearsal_report, store, trial_restore
from collec_migrations.backup.rehearsal_report import Findings
from collec_migrations.errors import BackupDamaged
from collec_migrations.postgres import conninfo
from collec_migrations.postgres.address import Address
from tests import accounts, backups, chain, faults
from tests.conftest import Clone
from tests.servers import Server

TABLES = ("gacl", "col", "public")


@pytest.fixture
def old(server18: Server, clone: Clone) -> Address:
    """Return a laboratory at 1.0.8 that was never under Alembic's care."""
    address = clone(backups.laboratory_at(server18, "1.0.8"))
    chain.execute(address, "drop table col.alembic_version")
    return address


def rehearsed(address: Address, target: str = "head") -> Findings:
    told = conninfo.Address(address.dsn)
    with rehearsal.new_backup(told, None) as backup, rehearsal.temporary_copy(backup, None) as copy:
        return rehearsal.rehearse(copy, target, say=print)


def everything(server: Server, address: Address) -> bytes:
    """Return a plain dump: schema, rows, rights, settings, byte for byte."""
    command = [str(server.binaries.program("pg_dump")), "--create", "--restrict-key=x"]
    done = subprocess.run([*command, "-d", address.dsn], capture_output=True, check=True)
    return done.stdout


def test_a_sound_database_would_succeed_and_stays_as_it_was(server18: Server, old: Address) -> None:
    before = everything(server18, old)
    written = (
        "select xact_commit >= 0, tup_inserted, tup_updated, tup_deleted from pg_stat_database"
    )
    counts = chain.query(old, f"{written} where datname = current_database()")
    found = rehearsed(old, "1.1")
    assert found.succeeds, found.refusal
    assert everything(server18, old) == before
    assert chain.query(old, f"{written} where datname = current_database()") == counts
    assert (found.before.versions, found.after.versions) == ((("col", "1.0.8"),), (("col", "1.1"),))
    assert found.adopted
    assert [(one.schema, one.version) for one in found.steps] == [("col", "1.1")]
    assert "col.sample" in [one.table for one in found.held if one.stops_reading]
    assert all(0 <= one.seconds <= found.seconds for one in found.held)
    assert any(line.startswith("col.metadata_set: ") for line in found.archived)
    kept = {one.before: one for one in found.tables}
    assert kept["col.storage"].is_same
    assert kept["col.metadata_set"].after.startswith("col_archive.")
    assert found.after.wal > found.before.wal
    facts = json.loads(json.dumps(rehearsal_report.report_json(found)))
    assert facts["succeeds"] is True
    assert facts["after"]["versions"] == {"col": "1.1"}


def test_a_damaged_database_would_fail_and_it_says_why(server18: Server, old: Address) -> None:
    chain.execute(old, "alter table col.sample drop column sample_creation_date cascade")
    before = everything(server18, old)
    found = rehearsed(old)
    assert not found.succeeds
    assert everything(server18, old) == before
    assert any("sample_creation_date" in one.sentence for one in found.drift)
    assert "would FAIL" in rehearsal_report.headline(found)
    assert found.steps == ()


def test_what_was_wrong_before_is_told_so_and_fails_no_upgrade(
    server18: Server, clone: Clone
) -> None:
    address = clone(backups.laboratory_at(server18, "2.8"))
    chain.execute(address, "alter table col.mime_type drop constraint mime_type_pk cascade")
    found = rehearsed(address, "2.8.1")
    assert found.succeeds, found.refusal + found.hint
    assert not found.adopted
    assert any("mime_type" in one.sentence for one in found.same)
    assert "was so before, and still is:" in "\n".join(rehearsal_report.report_lines(found))


def test_the_copy_is_adopted_with_the_repairs_of_adopt(server18: Server, clone: Clone) -> None:
    address = clone(backups.laboratory_at(server18, "2.8"))
    chain.execute(address, "drop table col.alembic_version;"
                  " alter table col.event drop constraint event_pk cascade")  # fmt: skip
    found = rehearsed(address, "2.8.1")
    assert found.succeeds, found.refusal + found.hint
    assert (found.adopted, found.left, found.same) == (True, (), ())
    assert found.repaired["constraint added"] >= 1


def test_a_table_in_the_way_makes_the_upgrade_fail(server18: Server, clone: Clone) -> None:
    address = clone(backups.laboratory_at(server18, "1.0.8"))
    chain.execute(address, "create table col.printer (mine int)")
    found = rehearsed(address)
    assert not found.succeeds
    assert "printer" in found.refusal + found.hint


def test_an_upgrade_that_fails_late_tells_the_time_of_each_version(
    server18: Server, clone: Clone
) -> None:
    address = clone(backups.laboratory_at(server18, "1.0.8"))
    chain.execute(address, "alter table col.dbversion add check (dbversion_number <> '1.2.3')")
    found = rehearsed(address)
    assert not found.succeeds
    assert [(one.schema, one.version) for one in found.steps] == [
        ("col", "1.1"), ("col", "1.2"), ("col", "1.2.3")]  # fmt: skip
    assert all(one.seconds > 0 for one in found.steps)
    assert sum(one.seconds for one in found.steps) <= found.seconds
    assert "<h2>Time by version</h2>" in rehearsal_report.report_page(found)
    assert any(line.startswith("  1.2.3 of col: ") for line in rehearsal_report.report_lines(found))


class Tags(HTMLParser):
    """Collects what a page refers to, and its bars."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.bars = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.bars += tag == "rect"
        self.outside += [name for name, _ in attrs if name in ("src", "href")]


def test_the_page_has_a_bar_for_each_version_and_needs_no_network(server18: Server) -> None:
    with server18.database(chain.template_at(server18, "1.0")) as address:
        found = rehearsed(address)
    text = rehearsal_report.report_page(found)
    tags = Tags()
    tags.feed(text)
    assert tags.bars == len(found.steps) == len(chain.VERSIONS) - 1
    assert tags.outside == []
    assert "http" not in text
    assert rehearsal_report.headline(found) in text


def test_a_copy_that_is_kept_answers_until_it_is_ended(old: Address, tmp_path: Path) -> None:
    taken = backups.taken(old, tmp_path)
    with rehearsal.stored_backup(tmp_path, "last") as backup:
        assert store.remove(tmp_path, backup.id) == "it is being read"
        copy, server = rehearsal.kept_copy(backup, None)
    home = server.cluster.home
    try:
        found = rehearsal.rehearse(copy, "1.1", say=print)
        assert found.succeeds
        assert taken.id in found.source
        assert chain.query(copy.address, "select version_num from col.alembic_version") == [
            ("1.1",)
        ]
    finally:
        subprocess.run(["/bin/sh", "-c", server.ending], capture_output=True, check=True)
    assert not home.exists()


def test_a_copy_that_cannot_be_kept_leaves_no_server(
    old: Address, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = backups.taken(old, tmp_path)

    def fill(*_: object) -> Address:
        assert any(folder.glob("*/data/postmaster.pid"))
        raise BackupDamaged("it does not restore")

    monkeypatch.setattr(trial_restore, "fill", fill)
    with pytest.raises(BackupDamaged):
        rehearsal.kept_copy(taken, folder)
    assert list(folder.iterdir()) == []


RUN = "from collec_migrations.cli.main import main; main()"


def test_a_rehearsal_that_is_ended_leaves_nothing(
    old: Address, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("rehearse", "--url", old.url)
    monkeypatch.setenv("COLLEC_SCRATCH", str(folder))
    with accounts.spawn(RUN, *words) as process:
        faults.until(lambda: any(folder.glob("*/*")))
        process.terminate()
        process.communicate()
    assert process.returncode == 3
    assert list(folder.iterdir()) == []
