"""`--json`: every command has it, and writes one object on standard output, whatever happens."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collec_migrations.postgres.address import Address
from tests import chain, commands
from tests.docs import json_page
from tests.servers import Server

Ask = Callable[..., tuple[int, Any]]


def test_every_command_takes_json() -> None:
    for words, command in commands.leaves().items():
        assert any("--json" in one.opts for one in command.params), words


@pytest.fixture(scope="module")
def filled(server18: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """Return a database at 1.1 that has archives."""

    def build(address: Address) -> None:
        chain.execute(
            address,
            "insert into col.metadata_set (metadata_set_name) values ('a set of the site');",
        )
        chain.upgrade(address, "1.1")

    at_1_0_8 = chain.template_at(server18, "1.0.8")
    with server18.database(server18.template("json", build, at_1_0_8)) as address:
        yield address


@pytest.fixture
def ask(filled: Address, site: Path) -> Ask:
    """Return a function that runs a command with `--json`, and reads what it wrote."""

    def run(*words: str, **variables: str) -> tuple[int, Any]:
        done = commands.invoke(*words, "--json", **{"COLLEC_DATABASE_URL": filled.url, **variables})
        found = json.loads(done.stdout)
        assert isinstance(found, dict), done.stdout
        assert all(name == name.lower() for name in found)
        leaf = next(words[:n] for n in (2, 1) if words[:n] in commands.leaves())
        json_page.check(" ".join(leaf), found)
        return done.exit_code, found

    return run


READING = [
    pytest.param(("status",), 0, {"schemas", "next"}, id="status"),
    pytest.param(("downgrade", "1.0.8", "--plan"), 0, {"schemas"}, id="downgrade"),
    pytest.param(("detect",), 0, {"schemas"}, id="detect"),
    pytest.param(("verify",), 0, {"schemas"}, id="verify"),
    pytest.param(("adopt", "--yes"), 0, {"schemas"}, id="adopt"),
    pytest.param(("history",), 0, {"schemas"}, id="history"),
    pytest.param(("upgrade", "1.1", "--plan"), 0, {"schemas", "obstacles"}, id="plan"),
    pytest.param(("upgrade", "1.1", "--yes"), 0, {"schemas", "seconds"}, id="upgrade"),
    pytest.param(("archive", "list"), 0, {"archives"}, id="archive list"),
    pytest.param(("server", "stop"), 0, {"stopped"}, id="server stop"),
    pytest.param(("backup", "list", "--into", "."), 1, {"backups", "broken"}, id="no backups"),
    pytest.param(
        ("backup", "schedule", "--into", "d", "--plan"), 0, {"texts", "written"}, id="schedule"
    ),
    pytest.param(("backup", "schedule", "--into", "d", "--tool", "cron"), 0, {"texts"}, id="cron"),
    pytest.param(("doctor",), 3, {"lines"}, id="doctor"),  # this server does not write to disk
    pytest.param(
        ("replica", "primary", "127.0.0.1", "--plan"),
        1,
        {"ready", "missing"},
        id="primary",
    ),
    pytest.param(("app-config",), 0, {"settings"}, id="app-config"),
    pytest.param(("diagram",), 0, {"mermaid", "version"}, id="diagram"),
]


@pytest.mark.parametrize(("words", "status", "names"), READING)
def test_a_result_is_one_object(
    words: tuple[str, ...], status: int, names: set[str], ask: Ask
) -> None:
    got, found = ask(*words)
    assert got == status, found
    assert names <= found.keys()


def test_a_configuration_for_recovery_is_told(ask: Ask, tmp_path: Path) -> None:
    program = tmp_path / "pg_backupcluster"  # of Debian, which not every machine has
    program.write_text("#!/bin/sh\necho 248\n")
    program.chmod(0o755)
    status, found = ask(
        "backup", "schedule", "--tool", "pitr", PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    )
    assert (status, found.keys()) == (1, {"text", "problems"}), found


@pytest.mark.parametrize("words", [("detect",), ("verify",), ("history",), ("upgrade", "--plan")])
def test_each_schema_is_told_by_its_name(words: tuple[str, ...], ask: Ask) -> None:
    _, found = ask(*words)
    assert [one.get("col") or one["schema"] for one in found["schemas"]][-1] == "col"


def test_what_an_archive_holds_and_its_dropping_are_told(ask: Ask) -> None:
    _, listed = ask("archive", "list")
    names = [one["table"] for one in listed["archives"]]
    status, refused = ask("archive", "drop", names[0])
    assert (status, refused["error"]["status"]) == (2, 2)
    status, dropped = ask("archive", "drop", names[0], "--yes")
    assert (status, [one["table"] for one in dropped["dropped"]]) == (0, [names[0]])


def test_backups_are_told_from_the_first_to_the_last(ask: Ask, server18: Server) -> None:
    into = ("--into", "kept")  # seen from the folder in which the command is typed
    status, run = ask("backup", "run", *into)
    assert (status, len(run["made"]), run["failed"]) == (0, 1, [])
    (one,) = ask("backup", "list", *into)[1]["backups"]
    assert ask("backup", "list", "last", *into)[1] == one
    status, sound = ask("backup", "verify", "last", *into)
    assert (status, sound["sound"], sound["id"]) == (0, True, one["id"])
    with server18.database() as empty:
        words = ("backup", "restore", "last", *into, "--to", empty.url)
        status, planned = ask(*words, "--plan")
        assert (status, planned["backup"], planned["roles"]) == (0, one["id"], [])
        status, restored = ask(*words, "--yes")
        assert (planned["rows"], planned["tables"]) == (restored["rows"], restored["tables"])
    assert (status, restored["rows"]) == (0, sum(one["rows"].values()))
    status, removed = ask("backup", "prune", one["id"], *into, "--yes")
    assert (status, removed) == (0, {"removed": [one["id"]], "kept": []})


def test_what_was_wrapped_is_told(ask: Ask, site: Path) -> None:
    (site / "col_alter_26.2-27.0.sql").write_text("create table col.t (i int);")
    status, found = ask("wrap", ".", "--yes")
    assert (status, [one["version"] for one in found["added"]]) == (0, ["27.0"])


WRONG = [
    pytest.param(("detect",), "postgresql://nobody@127.0.0.1:1/none", 3, id="no server"),
    pytest.param(("upgrade", "--plan"), "mysql://x/y", 2, id="no address"),
    pytest.param(("upgrade", "9.9", "--plan"), "", 2, id="no version"),
]


@pytest.mark.parametrize(("words", "url", "status"), WRONG)
def test_an_error_is_one_object_too(
    words: tuple[str, ...], url: str, status: int, ask: Ask, filled: Address
) -> None:
    got, found = ask(*words, COLLEC_DATABASE_URL=url or filled.url)
    assert got == found["error"]["status"] == status
    assert found["error"]["message"]


def test_a_mistake_in_the_command_line_is_told_as_the_page_says(ask: Ask) -> None:
    status, found = ask("detect", "--no-such-option")
    assert (status, found["error"]["status"]) == (2, 2)


def test_an_installation_is_told(ask: Ask, server18: Server) -> None:
    words = ("install", "--database", "told", "--owner", "told_owner", "--no-hba")
    with server18.database() as administrator:
        try:
            for more in ("--plan", "--yes"):
                status, found = ask(
                    *words, more,
                    COLLEC_DATABASE_URL=administrator.url, COLLEC_DB_PASSWORD="xyzzy-9-plugh",
                )  # fmt: skip
                assert (status, found["database"]) == (0, "told"), found
        finally:
            server18.drop_database("told")
            chain.execute(administrator, "drop role if exists told_owner")


def test_a_rehearsal_is_told_whether_it_succeeds_or_not(
    ask: Ask, filled: Address, server18: Server
) -> None:
    status, found = ask("rehearse", "--to", "1.2")
    assert (status, found["succeeds"]) == (0, True), found
    with server18.database(chain.template_at(server18, "1.0.8")) as address:
        chain.execute(address, "create table col.printer (in_the_way int)")
        status, found = ask("rehearse", "--to", "1.1", COLLEC_DATABASE_URL=address.url)
    assert (status, found["succeeds"]) == (1, False), found


def test_what_is_wrong_is_told_and_what_repairs_it(ask: Ask, server18: Server) -> None:
    with server18.database(chain.template_at(server18, "1.1")) as address:
        chain.execute(
            address,
            "drop view col.last_photo; create table col.mine (i int);"
            "alter table col.storage drop constraint storage_pk cascade",
        )
        at = {"COLLEC_DATABASE_URL": address.url}
        assert ask("detect", **at)[0] == ask("verify", **at)[0] == 1
        assert ask("doctor", **at)[0] == 3
        status, found = ask("adopt", "--plan", **at)
        assert (status, found["schemas"][0]["own"]) == (0, ["column mine.i", "table mine"])
        assert found["schemas"][0]["repaired"]


def test_the_settings_of_an_application_are_told(ask: Ask, filled: Address, tmp_path: Path) -> None:
    (tmp_path / "param").mkdir()
    (tmp_path / "param" / "param.inc.php").write_text(
        "<?php\n$APPLI_dbversion = '26.2';\n$BDD_schema = 'col,gacl,public';\n"
        f"$BDD_dsn = 'pgsql:host={filled.host};port={filled.port};dbname={filled.dbname}';\n"
        f"$BDD_login = '{filled.user}';\n"
    )
    status, found = ask("app-config", "--check", "--app", str(tmp_path), "--url", filled.url)
    assert (status, found["same"]) == (1, False)
    assert ask("status", "--app", str(tmp_path))[1]["application"]["expected"] == "26.2"


def test_what_init_wrote_is_told(ask: Ask, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "empty").mkdir()
    monkeypatch.chdir(site / "empty")
    assert ask("init") == (0, {"written": "alembic.ini"})


def test_the_page_names_every_command() -> None:
    """The tests of a command that needs more than one server call `json_page.check`, too."""
    leaves = {" ".join(words) for words in commands.leaves()}
    assert json_page.documented().keys() - {"errors"} == leaves
