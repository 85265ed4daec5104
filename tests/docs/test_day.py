"""`docs/day.md`: what it takes to come from nothing to a watched standby, counted and done."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import accounts, chain, clusters, commands
from tests.database.test_replica_debian import MAJOR, remove
from tests.docs import pages

PAGE = pages.read(pages.DOCS / "day.md")
MOST_COMMANDS, MOST_ARGUMENTS = 8, 10
MOST_LEAVES, MOST_OPTIONS = 28, 45
NAMES = (f"collec{os.getpid()}p", f"collec{os.getpid()}s")
APPLICATION = """<?php
$APPLI_dbversion = "26.2";
$BDD_login = "{name}";
$BDD_passwd = "xyzzy-9-plugh";
$BDD_dsn = "pgsql:host=localhost;port={port};dbname={name}";
$BDD_schema = "col,gacl,public";
$GACL_dsn = $BDD_dsn;
$GACL_schema = "gacl,public";
"""


def typed() -> list[list[str]]:
    """Return the words of each command of the page, in order."""
    lines = "\n".join(one.text for one in PAGE.blocks if one.language == "sh").splitlines()
    return [shlex.split(line) for line in lines if line and not line.startswith("export ")]


def arguments(words: list[str]) -> list[str]:
    """Return what is typed after the name of a command and its sub-command."""
    if words[0] == commands.PROGRAM:
        leaf = next(n for n in (2, 1) if tuple(words[1 : 1 + n]) in commands.leaves())
        return words[1 + leaf :]
    return words[1:] if words[0] == "scp" else words[2:]


def test_it_is_few_words_and_the_page_counts_them() -> None:
    found = len(typed()), sum(len(arguments(words)) for words in typed())
    assert found <= (MOST_COMMANDS, MOST_ARGUMENTS)
    assert f"These are {found[0]} commands with {found[1]} arguments" in PAGE.path.read_text(
        "utf-8"
    )


def test_no_command_and_no_option_is_added_without_another_going() -> None:
    """docs/commands.md tells the same two counts, by the same functions."""
    assert len(commands.leaves()) <= MOST_LEAVES
    assert len(commands.all_options()) <= MOST_OPTIONS


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """Give two clusters of Debian as apt leaves them, at ports of their own; the first runs."""
    found = (clusters.free_port(), clusters.free_port())
    try:
        for name, port in zip(NAMES, found, strict=True):
            made = ["pg_createcluster", MAJOR, name, "-p", str(port), "--", "--no-sync"]
            subprocess.run(made, check=True, capture_output=True)
        subprocess.run(["pg_ctlcluster", MAJOR, NAMES[0], "start"], check=True)
        yield found
    finally:
        for name in NAMES:
            remove(name)


@accounts.needs_root
@pytest.mark.skipif(not shutil.which("pg_createcluster"), reason="Debian's own programs")
def test_a_newcomer_types_it_on_clusters_at_other_ports(
    ports: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both machines are this one; the account's own password file is put back."""
    home = Path("~postgres").expanduser()
    kept = home / ".pgpass"
    former = kept.read_bytes() if kept.exists() else None
    (tmp_path / "app" / "param").mkdir(parents=True)
    (tmp_path / "app" / "param" / "param.inc.php").write_text(
        APPLICATION.format(name=NAMES[0], port=ports[0])
    )
    machine = {name: tmp_path / name for name in ("first", "second")}
    for folder in machine.values():
        folder.mkdir()
    variables = {"COLLEC_APP": str(tmp_path / "app"), "COLLEC_DB_PASSWORD": "xyzzy-9-plugh",
                 "COLLEC_WITHOUT_POSTGIS": "no"}  # fmt: skip
    here = machine["first"]
    shown = ""
    try:
        for words in typed():
            match words:
                case ["make", *_]:  # tests/cli/test_installed.py installs
                    continue
                case ["systemctl", *_]:
                    subprocess.run(["pg_ctlcluster", MAJOR, NAMES[0], "restart"], check=True)
                    continue
                case ["scp", name, _]:
                    shutil.copy(here / name, machine["second"] / name)
                    continue
            second = "clone" in words
            line = [
                word.replace("/main", f"/{NAMES[1]}")
                .replace("10.0.0.1", f"127.0.0.1:{ports[0]}")
                .replace("10.0.0.2", "127.0.0.1")
                .replace(":///collec", f":///{NAMES[0]}?port={ports[0]}")
                for word in words
            ]
            line += [] if "doctor" in line else ["--yes"]
            done = chain.run(
                *line,
                folder=machine["second"] if second else here,
                variables={} if second else variables,
            )
            shown = done.stdout + done.stderr
            # A restart is due before the primary is ready; a backup, before all is well.
            allowed = (0, 1) if {"doctor", "primary"} & {*line} else (0,)
            assert done.returncode in allowed, shown
    finally:
        kept.write_bytes(former) if former is not None else kept.unlink(missing_ok=True)
    assert re.search(r"^standbys\n +ok +\S+ +streaming, ", shown, re.MULTILINE), shown
