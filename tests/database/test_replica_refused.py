"""What speaks against a clone is told before anything is touched."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import accounts, clusters, servers
from tests.primaries import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """How a file of passwords is made unfit, and what is said."""

    mode: int
    text: str
    status: int
    said: str


@pytest.mark.parametrize(
    "case",
    [
        Refused(mode=0o640, text="*:*:*:rep:x\n", status=2, said="others may read"),
        Refused(mode=0o600, text="other:*:*:rep:x\n", status=2, said="has no line for 127.0.0.1"),
        Refused(mode=0o600, text="*:*:postgres:rep:x\n", status=2, said=":replication:rep"),
        Refused(mode=0o600, text="*:*:*:rep:x\n", status=3, said="password authentication failed"),
    ],
    ids=["loose", "another host", "no replication", "wrong password"],
)
def test_a_password_file_that_cannot_work_is_told(
    prepared: Prepared, name: str, case: Refused
) -> None:
    passfile = prepared.site.home / f"{name}.pgpass"
    passfile.write_text(case.text)
    passfile.chmod(case.mode)
    os.chown(passfile, prepared.site.account.uid, prepared.site.account.gid)
    refused = prepared.clone(name, "--passfile", passfile)
    assert refused.exit_code == case.status, refused.output
    assert case.said in refused.output
    assert prepared.left(name) == {passfile.name}


def test_a_password_file_that_is_not_there_is_told(prepared: Prepared, name: str) -> None:
    refused = prepared.clone(name, "--passfile", prepared.site.home / "nowhere")
    assert refused.exit_code == 2
    assert "is not there" in refused.output


@accounts.needs_root
def test_a_password_file_that_the_server_cannot_read_is_told(prepared: Prepared, name: str) -> None:
    passfile = prepared.site.home / f"{name}.pgpass"
    passfile.write_text(prepared.passfile.read_text())
    passfile.chmod(0o600)
    refused = prepared.clone(name, "--passfile", passfile)
    assert refused.exit_code == 2
    assert "cannot read the password file" in refused.output


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    refused = clusters.command(
        "replica",
        "clone",
        "postgresql://rep:hidden@db1",
        "--data",
        "/nowhere/b",
        "--plan",
    )
    assert refused.exit_code == 2
    assert "hidden" not in refused.output


@pytest.fixture
def rules(prepared: Prepared) -> Iterator[Path]:
    """Give the primary's pg_hba.conf, and put it back at the end."""
    path = prepared.site.node("primary").data / "pg_hba.conf"
    before = path.read_text()
    yield path
    path.write_text(before)
    prepared.reload()


@pytest.mark.parametrize("database", ["replication", "postgres"])
def test_a_missing_rule_of_access_is_told_by_both_commands(
    prepared: Prepared, name: str, rules: Path, database: str
) -> None:
    lines = rules.read_text().splitlines(keepends=True)
    rules.write_text("".join(line for line in lines if f"host {database}" not in line))
    prepared.reload()
    refused = prepared.clone(name)
    assert refused.exit_code == 3
    assert "pg_hba.conf" in refused.output
    assert not prepared.left(name)
    url = prepared.address.url
    told = clusters.command("replica", "primary", "127.0.0.1", "--url", url, "--plan")
    assert told.exit_code == 1
    assert "pg_hba.conf does not let 127.0.0.1 in" in told.output


def test_a_broken_rule_is_told_and_left_as_it_is(prepared: Prepared, rules: Path) -> None:
    broken = "host all all 300.0.0.1/99 nonsense\n" + rules.read_text()
    rules.write_text(broken)
    url = prepared.address.url
    words = ("replica", "primary", "127.0.0.2", "--url", url)
    told = clusters.command(*words, "--passfile", rules.parent / "none", "--yes")
    assert told.exit_code == 3, told.output
    assert "pg_hba.conf" in told.output
    assert rules.read_text() == broken


def test_a_slot_that_is_there_already_is_left_alone(prepared: Prepared, name: str) -> None:
    prepared.execute(f"select pg_create_physical_replication_slot('{name}_slot')")
    refused = prepared.clone(name)
    assert refused.exit_code == 3
    assert "is there already" in refused.output
    assert prepared.left(name) == {f"{name}_slot"}


def test_a_folder_with_something_else_is_left_alone(prepared: Prepared, name: str) -> None:
    data = prepared.site.home / name
    data.mkdir()
    (data / "thesis.odt").write_text("years of work")
    refused = prepared.clone(name, "--force")
    assert refused.exit_code == 3
    assert "is not empty, and no data folder" in refused.output
    assert (data / "thesis.odt").read_text() == "years of work"


def test_the_cluster_of_another_system_is_moved_aside_only_when_told(
    prepared: Prepared, name: str
) -> None:
    data = prepared.site.home / name
    (data / "global").mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    for path in (data, data / "global"):
        os.chown(path, prepared.site.account.uid, prepared.site.account.gid)
    assert "another system" in prepared.clone(name).output
    made = prepared.clone(name, "--force", "--listen", f":{clusters.free_port()}")
    assert made.exit_code == 0, made.output
    (aside,) = [one for one in prepared.left(name) if ".before-" in one]
    assert (prepared.site.home / aside / "PG_VERSION").read_text() == "18\n"


def test_the_primary_is_not_cloned_onto_itself(prepared: Prepared) -> None:
    refused = prepared.clone("primary")
    assert refused.exit_code == 3
    assert "is the primary itself" in refused.output


def test_programs_of_another_major_are_refused(prepared: Prepared, name: str) -> None:
    others = [one for one in servers.majors(life=True) if one != 18]
    if not others:
        pytest.skip("only one major at hand")
    bin_dir = servers.with_clients(others[0]).bin_dir
    refused = prepared.clone(name, "--bindir", bin_dir)
    assert refused.exit_code == 3
    assert "and the server is 18" in refused.output


@pytest.mark.parametrize("sign", ["patroni.dynamic.json", "pg_autoctl.pid"])
def test_a_folder_that_another_program_manages_is_only_read(
    prepared: Prepared, name: str, sign: str
) -> None:
    data = prepared.site.home / name
    data.mkdir()
    (data / sign).touch()
    refused = prepared.clone(name)
    assert refused.exit_code == 3
    assert f"is in charge of {data}" in refused.output


def test_a_primary_that_repmgr_manages_is_only_read(prepared: Prepared, name: str) -> None:
    prepared.execute("create schema repmgr")
    try:
        refused = prepared.clone(name)
        url = prepared.address.url
        told = clusters.command("replica", "primary", "10.0.0.9", "--url", url, "--plan")
    finally:
        prepared.execute("drop schema repmgr")
    assert (refused.exit_code, told.exit_code) == (3, 3)
    assert "repmgr is in charge" in refused.output
    assert "repmgr is in charge" in told.output
