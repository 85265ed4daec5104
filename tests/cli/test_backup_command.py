"""`collec-migrations backup` and `rehearse`: exit statuses, output, and no secret anywhere."""

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collec_migrations.backup import store
from collec_migrations.postgres.address import Address
from tests import backups, chain, terminal
from tests.conftest import Clone
from tests.servers import Server

SECRET = "xyzzy-9-plugh"


@pytest.fixture
def filled(server18: Server, clone: Clone) -> Address:
    """Return a laboratory at 1.0.8."""
    return clone(backups.laboratory_at(server18, "1.0.8"))


@pytest.fixture
def nightly(server18: Server) -> Iterator[str]:
    """Return a superuser who comes in with a password."""
    server18.create_role("nightly", SECRET)
    chain.execute(server18.address, "alter role nightly superuser")
    yield "nightly"
    chain.execute(server18.address, "drop role nightly")


def tool(*words: str, url: str, into: Path, password: str = "") -> subprocess.CompletedProcess[str]:
    """Run the tool's own command on a database and a folder."""
    variables = {"COLLEC_DATABASE_URL": url, "COLLEC_BACKUP_DIR": str(into)}
    variables |= {"PGPASSWORD": password} if password else {}
    return chain.run("collec-migrations", *words, folder=Path("/"), variables=variables)


def test_no_secret_is_in_ps_in_logs_or_in_what_is_stored(
    server18: Server, filled: Address, nightly: str, tmp_path: Path
) -> None:
    url = server18.tcp_url(nightly, SECRET, filled.dbname)
    into = tmp_path / "into"
    with _watched("pg_dump"):
        done = tool("backup", "run", url=url, into=into)
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    for path in into.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    shown = tool("backup", "list", "last", "--json", url=url, into=into)
    assert SECRET not in shown.stdout
    failed = tool("backup", "run", "--database", "no such one", url=url, into=into)
    assert failed.returncode == 3
    assert SECRET not in failed.stdout + failed.stderr + (into / "backup.log").read_text()


def test_a_terminal_sees_bytes_and_the_time_left(
    server18: Server, clone: Clone, tmp_path: Path
) -> None:
    large = clone(backups.laboratory_at(server18, "1.0.8"))
    backups.add_documents(large, 16)
    for _ in ("a first one", "one after another"):
        status, written = terminal.run(
            "backup", "run", "--into", str(tmp_path), COLLEC_DATABASE_URL=large.url
        )
        shown = terminal.plain(written)
        assert status == 0, shown
        seen = re.findall(r"(\d+\.\d)/(\d+\.\d) MB (-:--:--|\d:\d\d:\d\d) left", shown)
        done, expected, left = zip(*seen, strict=True)
        assert list(map(float, done)) == sorted(map(float, done))
        assert {"-:--:--"} < set(left), "the time is not told"
        assert done[-1] == expected[-1]
        assert "━" in shown
    last = store.backups(tmp_path)[0][-1].manifest.size
    assert float(expected[0]) * 1e6 == pytest.approx(last, rel=0.02)


@contextmanager
def _watched(program: str) -> Iterator[None]:
    """See that a program runs in this block, and that no command line ever holds the password."""
    over, seen = threading.Event(), set[str]()
    watcher = threading.Thread(target=_watch_ps, args=(over, seen))
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    assert any(f"{program}\0" in line and "nightly" in line for line in seen)
    assert not [line for line in seen if SECRET in line]


def _watch_ps(over: threading.Event, seen: set[str]) -> None:
    while not over.wait(0.005):
        for name in os.listdir("/proc"):  # noqa: PTH208  (much quicker)
            if name.isdigit():
                try:
                    seen.add(Path(f"/proc/{name}/cmdline").read_text(errors="replace"))
                except OSError:
                    continue


def test_run_list_show_verify_restore_prune(
    server18: Server, nightly: str, filled: Address, database: Address, tmp_path: Path
) -> None:
    assert tool("backup", "run", url=filled.url, into=tmp_path).returncode == 0
    first = tool("backup", "run", "--json", url=filled.url, into=tmp_path)
    facts = json.loads(first.stdout)
    (id_,) = [one["id"] for one in facts["made"]]
    assert facts["removed"] == [], "nothing younger than two days goes by a rule"
    (older,) = [one for one in backups.ids(tmp_path) if one != id_]
    assert tool("backup", "prune", older, "--yes", url="", into=tmp_path).returncode == 0
    verified = tool("backup", "verify", id_, url=filled.url, into=tmp_path)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "is sound" in verified.stdout
    listed = json.loads(tool("backup", "list", "--json", url="", into=tmp_path).stdout)
    assert [one["verdict"] for one in listed["backups"]] == ["verified"]
    assert "1.0.8" in tool("backup", "list", id_[:12], url="", into=tmp_path).stdout
    to = server18.tcp_url(nightly, SECRET, database.dbname).replace(f":{SECRET}@", "@")
    words = ["backup", "restore", "last", "--to", to]
    asked = tool(*words, url="", into=tmp_path, password=SECRET)
    assert (asked.returncode, "no terminal to ask on" in asked.stderr) == (2, True)
    planned = tool(*words, "--plan", url="", into=tmp_path, password=SECRET)
    assert planned.returncode == 0, planned.stderr
    assert re.search(rf"{id_}, taken .* into '{database.dbname}' on .*, PostgreSQL", planned.stdout)
    assert re.search(r"^  [\d,]+ rows in \d+ tables$", planned.stdout, re.MULTILINE)
    assert not backups.contents(database, "col")
    words.append("--yes")
    with _watched("pg_restore"):
        restored = tool(*words, url="", into=tmp_path, password=SECRET)
    assert restored.returncode == 0, restored.stderr
    assert SECRET not in restored.stdout + restored.stderr
    assert backups.contents(database, "col") == backups.contents(filled, "col")
    for how in ("--plan", "--yes"):
        order = ("restore", "last", "--to", filled.url, how)
        refused = tool("backup", *order, url="", into=tmp_path)
        assert (refused.returncode, "holds" in refused.stderr) == (3, True)
    assert tool("backup", "prune", id_, url="", into=tmp_path).returncode == 2
    assert tool("backup", "prune", id_, "--yes", url="", into=tmp_path).returncode == 0
    assert tool("backup", "list", url="", into=tmp_path).returncode == 1


def test_statuses(filled: Address, tmp_path: Path) -> None:
    backups.taken(filled, tmp_path)
    with store.locked(tmp_path):
        assert tool("backup", "run", url=filled.url, into=tmp_path).returncode == 75
    assert tool("backup", "verify", "no such", url="", into=tmp_path).returncode == 2
    assert tool("backup", "prune", url="", into=tmp_path / "none").returncode == 2
    both = tool("backup", "run", "--all", "--database", "x", url=filled.url, into=tmp_path)
    assert both.returncode == 2
    nowhere = tool("backup", "run", url="postgresql:///x?host=/nowhere", into=tmp_path)
    assert nowhere.returncode == 3
    (one,) = store.backups(tmp_path)[0]
    (one.path / "data.dump").write_bytes(b"x" * (one.path / "data.dump").stat().st_size)
    assert tool("backup", "verify", "last", url="", into=tmp_path).returncode == 1
    assert "damaged" in tool("backup", "list", url="", into=tmp_path).stdout


def test_upgrade_takes_a_backup_first_and_says_how_to_use_it(
    filled: Address, tmp_path: Path
) -> None:
    chain.execute(filled, "create table col.printer (in_the_way int)")
    words = ("upgrade", "--yes", "--backup", str(tmp_path / "before"))
    done = tool(*words, url=filled.url, into=tmp_path)
    assert done.returncode == 3
    (id_,) = backups.ids(tmp_path / "before")
    assert f"collec-migrations backup restore {id_} --into {tmp_path}/before" in done.stderr
    chain.execute(filled, "drop table col.printer")
    assert tool(*words, url=filled.url, into=tmp_path).returncode == 0
    (_, last) = store.backups(tmp_path / "before")[0]
    assert last.manifest.reason == "before the upgrade to head"
    remembered = chain.query(filled, "select note from col.migration_history where version = '1.1'")
    assert remembered == [(f"backup {last.id}",)]
    assert last.manifest.schemas[0].version == "1.0.8"
    assert not last.kept.nightly
    # A downgrade leads back: only before a script of the application's own it is tried at once.
    assert not last.kept.verified


def test_an_upgrade_whose_backup_fails_touches_nothing(filled: Address, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    words = ("upgrade", "--yes", "--backup", str(tmp_path / "file" / "folder"))
    done = tool(*words, url=filled.url, into=tmp_path)
    assert done.returncode == 2, done.stderr
    assert chain.query(filled, "select version_num from col.alembic_version") == [("1.0.8",)]


def test_rehearse_tells_and_writes_a_page(filled: Address, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = tool("rehearse", "--report", str(page), url=filled.url, into=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the upgrade would succeed in ")
    assert page.read_text().startswith("<!doctype html>")
    assert tool("rehearse", "--to", "9.9", url=filled.url, into=tmp_path).returncode == 2
    nowhere = str(tmp_path / "none" / "page.html")
    late = tool("rehearse", "--report", nowhere, url=filled.url, into=tmp_path)
    assert (late.returncode, late.stdout) == (2, ""), "it is told before the work, not after it"
    chain.execute(filled, "create table col.printer (in_the_way int)")
    assert tool("rehearse", url=filled.url, into=tmp_path).returncode == 1


def test_rehearse_takes_an_address_or_a_backup(
    server18: Server, nightly: str, filled: Address, database: Address, tmp_path: Path
) -> None:
    source = server18.tcp_url(nightly, SECRET, filled.dbname).replace(f":{SECRET}@", "@")
    words = ("rehearse", "--from", source)
    with _watched("pg_dump"):
        by_address = tool(*words, url=database.url, into=tmp_path, password=SECRET)
    assert by_address.returncode == 0, by_address.stderr
    assert SECRET not in by_address.stdout + by_address.stderr
    assert f"col is at 1.0.8; col reaches {chain.HEAD}" in by_address.stdout
    assert tool("backup", "run", url=filled.url, into=tmp_path).returncode == 0
    (id_,) = backups.ids(tmp_path)
    by_backup = tool("rehearse", "--from", id_, url=database.url, into=tmp_path)
    assert by_backup.returncode == 0, by_backup.stderr
    assert f"col is at 1.0.8; col reaches {chain.HEAD}" in by_backup.stdout
    assert chain.query(filled, "select version_num from col.alembic_version") == [("1.0.8",)]


def test_the_offsite_command_runs_afterwards(filled: Address, tmp_path: Path) -> None:
    into, away = tmp_path / "into", tmp_path / "away"
    away.mkdir()
    words = ("backup", "run", "--offsite", f"cp -r {{}} {away}")
    assert tool(*words, url=filled.url, into=into).returncode == 0
    assert [path.name for path in away.iterdir()] == backups.ids(into)
    failed = tool("backup", "run", "--offsite", "false", url=filled.url, into=into)
    assert failed.returncode == 3
    assert "FAILED" in (into / "backup.log").read_text()
    assert len(backups.ids(into)) == 2


def test_pitr_checks_the_server(filled: Address, tmp_path: Path) -> None:
    done = tool("backup", "schedule", "--tool", "pitr", url=filled.url, into=tmp_path)
    assert done.returncode in (1, 2), done.stderr
    assert "Debian" in done.stderr
