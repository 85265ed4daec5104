"""`collec-migrations doctor`: exit statuses, JSON, Nagios, colours, no secret."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collec_migrations.cli import main
from collec_migrations.postgres.address import Address
from tests import chain, terminal
from tests.servers import Server

SECRET = "xyzzy-9-plugh"
QUICK = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums", "autovacuum")
DISKS = ("data disk", "backup disk")
IGNORED = ",".join((*QUICK, *DISKS))


@pytest.fixture(scope="module")
def installed(server18: Server) -> Iterator[Address]:
    """Return a database at 1.1; nothing is changed in it."""
    with server18.database(chain.template_at(server18, "1.1")) as address:
        yield address


def run(url: str, *words: str, ignored: str = "") -> Result:
    variables = {"COLLEC_DOCTOR_IGNORE": ignored}
    return CliRunner().invoke(main.app, ["doctor", "--url", url, *words], env=variables)


def test_statuses_are_those_of_a_monitor(installed: Address, tmp_path: Path) -> None:
    no_backup = run(installed.url, ignored=IGNORED)
    assert no_backup.exit_code == 1, no_backup.output
    assert run(installed.url, ignored=f"{IGNORED},backup").exit_code == 0
    assert run(installed.url, "--into", str(tmp_path / "none"), ignored=IGNORED).exit_code == 3
    assert run(installed.url, "--json", "--nagios").exit_code == 2
    assert run("postgresql:///x?host=/nowhere").exit_code == 3


def test_nagios_gets_one_line_and_its_own_statuses(installed: Address) -> None:
    for words, more, status, word in (
        ((), ",backup", 0, "OK"),
        ((), "", 1, "WARNING"),
        (("--into", "/nowhere"), "", 2, "CRITICAL"),
    ):
        done = run(installed.url, "--nagios", *words, ignored=IGNORED + more)
        assert done.exit_code == status, done.output
        assert done.output.startswith(f"COLLEC {word} - ")
        assert len(done.output.splitlines()) == 1
        assert re.search(r" \| .*'connections'=\d+", done.output)
    assert run("postgresql:///x?host=/nowhere", "--nagios").exit_code == 2
    assert run("mysql://x", "--nagios").exit_code == 3


def test_json_has_the_same_lines(installed: Address) -> None:
    facts = json.loads(run(installed.url, "--json", ignored=IGNORED).stdout)
    shown = run(installed.url, ignored=IGNORED).stdout
    assert facts["verdict"] == "attention"
    for one in facts["lines"]:
        assert one["name"] in shown
        assert one["verdict"] in ("ok", "attention", "broken", None)
        assert one["ignored"] is (one["name"] in (*QUICK, *DISKS))


def test_colours_are_for_a_terminal_alone(installed: Address) -> None:
    assert "\x1b" not in run(installed.url).stdout
    _, shown = terminal.run("doctor", "--url", installed.url)
    assert "\x1b[31mbroken" in shown
    assert "\x1b[32mok" in shown


def test_no_password_is_shown(server18: Server, installed: Address) -> None:
    server18.create_role("secretive", SECRET)
    try:
        url = server18.tcp_url("secretive", SECRET, installed.dbname)
        for words in ((), ("--json",), ("--nagios",)):
            assert SECRET not in run(url, *words).output
        wrong = server18.tcp_url("secretive", f"{SECRET}-wrong", installed.dbname)
        done = run(wrong)
        assert SECRET not in done.output
        assert "password authentication failed" in done.output
    finally:
        chain.execute(server18.address, "drop role secretive")


def test_the_application_says_where_and_what(installed: Address, tmp_path: Path) -> None:
    folder = tmp_path / "param"
    folder.mkdir()
    (folder / "param.inc.php").write_text('<?php $APPLI_dbversion = "2.0";')
    done = run(installed.url, "--app", str(tmp_path), "--json")
    (line,) = [one for one in json.loads(done.stdout)["lines"] if one["name"] == "version"]
    assert line["verdict"] == "broken"
    assert "asks for 2.0" in line["text"]
    assert f"--app {tmp_path}" in line["command"]
