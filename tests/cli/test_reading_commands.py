"""`detect`, `verify` and `adopt` as a person runs them: words, JSON, exit statuses."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import chain
from tests.servers import Server


@pytest.fixture
def url(server18: Server) -> Iterator[str]:
    """Give the address of a database of 1.0.8 that nobody adopted."""
    with server18.database(chain.template_at(server18, "1.0.8")) as address:
        chain.execute(
            address,
            "drop table col.alembic_version, col.migration_history, gacl.migration_history",
        )
        yield address.url


def run(*words: str) -> tuple[int, str, str]:
    """Run a command; return its status and what it wrote."""
    done = chain.run("collec-migrations", *words, folder=chain.ROOT)
    return done.returncode, done.stdout, done.stderr


def test_detect_says_the_version_and_what_to_do(url: str) -> None:
    status, said, _ = run("detect", "--url", url)
    assert status == 0
    assert "version 1.0.8" in said.splitlines()[0]
    assert "collec-migrations adopt" in said.splitlines()[-1]


def test_detect_gives_every_fact_as_json(url: str) -> None:
    status, said, _ = run("detect", "--url", url, "--json")
    (found,) = json.loads(said)["schemas"]
    assert status == 0
    assert (found["answer"], found["versions"], found["sound"]) == ("exact", ["1.0.8"], True)
    assert found["recorded"]["dbversion"][-1]["number"] == "1.0.8"


def test_a_database_is_detected_adopted_and_verified(url: str) -> None:
    assert run("adopt", "--yes", "--url", url)[0] == 0
    assert "adopted before" in run("adopt", "--yes", "--url", url)[1]
    status, said, _ = run("verify", "--url", url)
    first, last = said.splitlines()
    assert (status, first) == (0, "schema 'col' (rights: 'gacl') is as version 1.0.8 should be.")
    assert last.startswith("Next: collec-migrations upgrade --url ")


def test_damage_is_told_planned_shown_and_repaired(server18: Server) -> None:
    with server18.database(chain.template_at(server18, "1.0.8")) as address:
        chain.execute(address, "drop view col.last_photo")
        status, said, _ = run("verify", "--url", address.url)
        assert status == 1
        assert "breaks    view last_photo is missing" in said
        assert run("detect", "--url", address.url)[0] == 1
        status, planned, _ = run("adopt", "--plan", "--url", address.url)
        assert status == 0
        assert "to repair: 1 view added" in planned
        assert run("detect", "--url", address.url)[0] == 1
        _, script, _ = run("adopt", "--plan", "--details", "--url", address.url)
        assert 'create or replace view "col"."last_photo"' in script
        assert run("adopt", "--url", address.url)[0] == 2
        assert run("adopt", "--url", address.url, "--yes")[0] == 0
        assert run("verify", "--url", address.url)[0] == 0


def test_the_applications_folder_is_all_that_is_needed(url: str, tmp_path: Path) -> None:
    parts = dict(part.split("=", 1) for part in _dsn(url).split() if "=" in part)
    (tmp_path / "param").mkdir()
    (tmp_path / "param" / "param.inc.php").write_text(
        "<?php\n$APPLI_dbversion = '1.1';\n$BDD_schema = 'col,gacl,public';\n"
        "$GACL_schema = 'gacl';\n"
        f"$BDD_dsn = 'pgsql:host={parts['host']};port={parts['port']};dbname={parts['dbname']}';\n"
        f"$BDD_login = '{parts['user']}';\n$BDD_passwd = 'never shown';\n"
    )
    status, said, wrong = run("detect", "--app", str(tmp_path))
    assert status == 0, wrong
    assert "asks for version 1.1" in said
    assert f"--app {tmp_path}" in said
    assert "never shown" not in said + wrong


def _dsn(url: str) -> str:
    from collec_migrations.postgres import conninfo

    return conninfo.parse(url, source="the test").dsn


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["detect", "--url", "mysql://x"], 2),
        (["detect", "--app", "/nowhere"], 2),
        (["adopt", "--yes", "--url", "postgresql://nobody@127.0.0.1:1/x"], 3),
        (["detect", "--url", "postgresql://nobody:geheim@127.0.0.1:1/x"], 3),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_status(words: list[str], status: int) -> None:
    found, _, wrong = run(*words)
    assert found == status
    assert wrong.startswith("error: ")
    assert "Traceback" not in wrong
    assert "geheim" not in wrong
