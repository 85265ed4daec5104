"""What a site sets up: the timer, the off-site command, point-in-time recovery."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from psycopg2.extensions import parse_dsn
from typer.testing import CliRunner

from collec_migrations import settings
from collec_migrations.backup import nightly, pitr, snapshot
from collec_migrations.backup.nightly import Schedule
from collec_migrations.backup.pitr import Server
from collec_migrations.cli import main
from collec_migrations.errors import BackupFailed, UsageError

NIGHT = Schedule(
    command=("/bin/true", "backup", "run", "--into", '/srv/my "backups" $x 100%'),
    hour=20,
    minute=5,
    user="daemon",
)
SERVICE, TIMER = nightly.units(NIGHT).values()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for kind, text in (("service", SERVICE), ("timer", TIMER)):
        (tmp_path / f"{nightly.NAME}.{kind}").write_text(text)
    command = ("systemd-analyze", "verify", str(tmp_path / f"{nightly.NAME}.timer"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if nightly.NAME in line]
    assert ours == []


def test_the_timer_makes_up_for_a_missed_night() -> None:
    assert "OnCalendar=*-*-* 20:05:00\nPersistent=true\n" in TIMER


def test_a_word_in_a_unit_stays_one_word() -> None:
    assert '"/srv/my \\"backups\\" $$x 100%%"' in SERVICE


def test_the_line_for_cron_is_what_the_shell_reads() -> None:
    minute, hour, *days, command = nightly.cron_line(NIGHT).split(" ", 5)
    assert (minute, hour, days) == ("5", "20", ["*", "*", "*"])
    assert tuple(shlex.split(command.replace(r"\%", "%"))) == NIGHT.command


@pytest.mark.parametrize("time", ["24:00", "8", "20:60", "tonight"])
def test_what_is_no_time_is_a_usage_error(time: str) -> None:
    with pytest.raises(UsageError):
        nightly.parse_time(time)


def test_a_password_never_goes_into_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLLEC_DATABASE_URL", raising=False)
    words = ["backup", "schedule", "--into", "/srv", "--url", "postgresql://a:xyzzy@h/d"]
    done = CliRunner().invoke(main.app, words)
    assert done.exit_code == 2
    assert "xyzzy" not in done.output


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ({}, "dbname=postgres"),
        ({"PGPORT": "5433", "PGHOST": "/a b"}, "host='/a b' port=5433 dbname=postgres"),
        ({"PGDATABASE": "lab"}, "dbname=lab"),
        ({"COLLEC_DATABASE_URL": "postgresql://h/d", "PGPORT": "1"}, "host=h dbname=d"),
    ],
    ids=["nothing", "server", "database", "url"],
)
def test_the_night_knows_what_the_day_knew(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], address: str
) -> None:
    """Neither systemd nor cron passes on the variables of whoever set it up."""
    for name in (*settings.LIBPQ_VARIABLES, "COLLEC_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(main.app, ["backup", "schedule", "--into", "/srv", "--tool", "cron"])
    words = shlex.split(done.stdout)
    assert parse_dsn(words[words.index("--url") + 1]) == parse_dsn(address)


@pytest.mark.parametrize("status", [0, 1], ids=["systemd runs", "it does not"])
def test_units_are_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    pretended = tmp_path / "systemctl"
    pretended.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\nexit {status}\n')
    pretended.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(nightly, "SYSTEMD", tmp_path)
    if status:
        with pytest.raises(BackupFailed, match="systemctl daemon-reload"):
            nightly.install(NIGHT, tmp_path)
    else:
        nightly.install(NIGHT, tmp_path)
        asked = "daemon-reload\nenable --now collec-backup.timer\n"
        assert (tmp_path / "asked").read_text() == asked
    assert (tmp_path / "collec-backup.timer").read_text() == TIMER


def test_without_systemd_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "SYSTEMD", tmp_path / "none")
    with pytest.raises(UsageError) as raised:
        nightly.install(NIGHT, tmp_path)
    assert nightly.cron_line(NIGHT).strip() in raised.value.hint
    assert list(tmp_path.iterdir()) == []


def test_the_night_does_what_the_options_said() -> None:
    done = CliRunner().invoke(
        main.app,
        ["backup", "schedule", "--into", "/srv", "--tool", "cron", "--jobs", "2",
         "--keep", "30,5,12",
         "--offsite", "rclone copy {path} lab:backups/{id}"],
    )  # fmt: skip
    words = shlex.split(done.stdout)
    assert words[words.index("--jobs") + 1] == "2"
    assert words[words.index("--keep") + 1] == "30,5,12"
    assert words[words.index("--offsite") + 1] == "rclone copy {path} lab:backups/{id}"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("rclone copy {path} lab:b/{id}", ("rclone", "copy", "/b/1 x", "lab:b/1 x")),
        ("cp -r {} /mnt", ("cp", "-r", "/b/1 x", "/mnt")),
        ("'my tool' --to={}/y", ("my tool", "--to=/b/1 x/y")),
        ("copy", ("copy", "/b/1 x")),
    ],
    ids=["path and id", "place", "inside a word", "added"],
)
def test_the_offsite_command_gets_the_folder(command: str, words: tuple[str, ...]) -> None:
    assert nightly.offsite_words(command, Path("/b/1 x")) == words


def test_a_failed_offsite_command_is_reported(tmp_path: Path) -> None:
    nightly.send_offsite("test -d", tmp_path)
    with pytest.raises(BackupFailed, match="status 3: no room there"):
        nightly.send_offsite("sh -c 'echo no room there >&2; exit 3'", tmp_path)
    with pytest.raises(BackupFailed, match="cannot be run"):
        nightly.send_offsite("/nowhere/at/all", tmp_path)


GOOD = {
    "wal_level": "replica",
    "max_wal_senders": "10",
    "port": "5433",
    "archive_mode": "on",
    "archive_command": "pgbackrest --stanza=collec archive-push %p",
    "config_file": "/etc/postgresql/15/main/postgresql.conf",
    "data_directory": "/d",
}


@pytest.mark.parametrize("tool", pitr.PROGRAMS)
def test_a_server_that_is_ready_needs_no_change(tool: str) -> None:
    advice = pitr.advise(tool, Server(major=15, settings=GOOD), (9, 9))
    assert advice.problems == ()


@pytest.mark.parametrize(
    ("tool", "major", "changes", "problem"),
    [
        ("debian", 15, {"wal_level": "minimal"}, "wal_level"),
        ("debian", 15, {"max_wal_senders": "0"}, "max_wal_senders"),
        ("debian", 18, {"config_file": "/tmp/postgresql.conf"}, "Debian's clusters"),
        ("pgbackrest", 15, {"archive_mode": "off"}, "archive_mode"),
        ("pgbackrest", 15, {"archive_command": ""}, "archive_command"),
        ("pgbackrest", 17, {}, "take 2.53.1"),
        ("barman", 17, {}, "take 3.15"),
    ],
)
def test_what_must_change_first_is_told(
    tool: str, major: int, changes: dict[str, str], problem: str
) -> None:
    server = Server(major=major, settings={**GOOD, **changes})
    found = pitr.advise(tool, server, (2, 45)).problems
    assert any(problem in one for one in found)


def test_room_is_reckoned_from_the_last_backup_or_from_what_the_tables_hold() -> None:
    assert snapshot.space_needed(previous=100_000_000, first=1) == 130_000_000 + snapshot.MARGIN
    assert snapshot.space_needed(previous=None, first=40_000_000) == 40_000_000 + snapshot.MARGIN


@pytest.mark.parametrize(
    ("heap", "apart", "has_bytes", "large_objects", "most"),
    [
        (100, 0, False, 0, 40),
        (0, 100, False, 0, 80),
        (100, 100, True, 0, 240),
        (0, 0, False, 9, 11),
    ],
    ids=["rows", "long texts", "documents", "large objects"],
)
def test_documents_are_not_expected_to_shrink(
    heap: int, apart: int, has_bytes: bool, large_objects: int, most: int
) -> None:
    table = snapshot.Table(name="col.document", heap=heap, apart=apart, has_bytes=has_bytes)
    assert snapshot.first_size([table], large_objects) == most
