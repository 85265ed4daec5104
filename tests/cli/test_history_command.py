"""`collec-migrations history`: what was done to each schema."""

import json
from pathlib import Path

from collec_migrations.postgres.address import Address
from tests import chain


def test_history_shows_the_steps_of_both_schemas(database: Address, tmp_path: Path) -> None:
    chain.upgrade(database, "1.0")
    chain.upgrade(database, "1.0.4")
    done = chain.run("collec-migrations", "history", "--url", database.url, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [lines[0], lines[4]] == ["gacl:", "col:"]
    assert [line.split()[:2] for line in lines[5:]] == [
        ["version", "kind"],
        ["1.0", "applied"],
        ["1.0.4", "applied"],
    ]


def test_history_as_json_has_all_columns(database: Address, tmp_path: Path) -> None:
    chain.upgrade(database)
    done = chain.run(
        "collec-migrations", "history", "--json", "--url", database.url, folder=tmp_path
    )
    (row,) = json.loads(done.stdout)["schemas"][1]["rows"]
    assert (row["version"], row["kind"], row["note"]) == (chain.HEAD, "applied", "")
    assert len(row["checksum"]) == 64
    assert row["database_user"] == "super"


def test_no_history_is_said_and_is_no_failure(database: Address, tmp_path: Path) -> None:
    done = chain.run("collec-migrations", "history", "--url", database.url, folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "gacl: no history\ncol: no history\n")
