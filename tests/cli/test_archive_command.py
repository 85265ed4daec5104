"""`collec-migrations archive`: what is kept, shown and dropped."""

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data
from tests import chain
from tests.conftest import Clone
from tests.servers import Server

Archive = Callable[..., CompletedProcess[str]]
NAMES = (
    "sample_type_metadata_set_id_metadata_set_id_second_1_0_8",
    *("metadata_attribute", "metadata_schema", "metadata_set", "sample_metadata"),
)
SCHEMAS = "select nspname from pg_namespace where nspname ~ 'archive'"


@pytest.fixture
def address(server18: Server, clone: Clone) -> Address:
    """Return a database with an archive of the upgrade to 1.1."""

    def build(address: Address) -> None:
        chain.upgrade(address, "1.0.8")
        with chain.connected(address) as connection:
            sample_data.fill(connection, chain.DEFAULT, movements=20)
            connection.commit()
        chain.upgrade(address, "1.1")

    return clone(server18.template("archives", build))


@pytest.fixture
def archive(address: Address) -> Archive:
    """Return a function that runs `collec-migrations archive` on that database."""

    def run(*words: str) -> CompletedProcess[str]:
        return chain.run(
            *("collec-migrations", "archive", *words),
            folder=chain.ROOT,
            variables={"COLLEC_DATABASE_URL": address.url},
        )

    return run


def test_list_says_what_when_and_from_where(address: Address, archive: Archive) -> None:
    listed = archive("list", "--json")
    assert listed.returncode == 0, listed.stderr
    facts = json.loads(listed.stdout)["archives"]
    assert tuple(one["table"] for one in facts) == NAMES
    for one in facts:
        assert one["schema"] == "col_archive"
        assert one["step"] == "upgrade 1.0.8 -> 1.1"
        assert one["from"].partition(" ")[0].removeprefix("col.") in one["table"]
        assert one["when"].endswith("+00:00")
        assert one["bytes"] > 0
        count = f"select count(*) from col_archive.{one['table']}"
        assert chain.query(address, count) == [(one["rows"],)]
    text = archive("list").stdout.splitlines()
    assert text[0].split() == ["schema", "table", "kind", "rows", "size", "step", "when", "from"]
    assert len(text) == 1 + len(NAMES)


def test_a_database_without_archives_says_so(server18: Server, clone: Clone) -> None:
    bare = clone(chain.template_at(server18, "1.1"))
    words = ("collec-migrations", "archive", "list", "--url", bare.url)
    listed = chain.run(*words, folder=chain.ROOT)
    assert (listed.returncode, listed.stdout) == (0, "")
    assert listed.stderr == "there are no archives\n"
    assert chain.run(*words, "--json", folder=chain.ROOT).stdout == '{\n "archives": []\n}\n'


@pytest.mark.parametrize("name", ["nothing", "site", "col.sample", "sample", ""])
def test_what_is_no_archive_is_refused(address: Address, archive: Archive, name: str) -> None:
    chain.execute(address, "create table col_archive.site (id integer)")
    refused = archive("drop", name, "--yes")
    assert refused.returncode == 3
    assert f"{name!r} is not an archive table" in refused.stderr
    assert chain.query(address, "select count(*) > 0 from col.sample") == [(True,)]


def test_drop_without_an_answer_drops_nothing(address: Address, archive: Archive) -> None:
    assert archive("drop", "--all").returncode == 2
    refused = archive("drop", "--all", "--plan")
    assert refused.returncode == 0
    assert all(name in refused.stdout for name in NAMES)
    assert len(json.loads(archive("list", "--json").stdout)["archives"]) == len(NAMES)


def test_drop_takes_away_what_is_named(address: Address, archive: Archive) -> None:
    dropped = archive("drop", NAMES[0], f"col_archive.{NAMES[3]}", "--yes")
    assert dropped.returncode == 0, dropped.stderr
    left = [one["table"] for one in json.loads(archive("list", "--json").stdout)["archives"]]
    assert left == [NAMES[1], NAMES[2], NAMES[4]]
    assert chain.query(address, SCHEMAS) == [("col_archive",)]


def test_drop_all_removes_the_empty_schema(address: Address, archive: Archive) -> None:
    dropped = archive("drop", "--all", "--yes")
    assert dropped.returncode == 0, dropped.stderr
    assert "dropped the schema 'col_archive'" in dropped.stderr
    assert chain.query(address, SCHEMAS) == []
    chain.downgrade(address, "1.0.8")
    assert chain.query(address, "select count(*) from col.metadata_set") == [(0,)]


def test_a_schema_with_a_table_of_the_site_stays(address: Address, archive: Archive) -> None:
    chain.execute(address, "create table col_archive.site (id integer)")
    assert archive("drop", "--all", "--yes").returncode == 0
    assert chain.query(address, SCHEMAS) == [("col_archive",)]


def test_all_or_none(address: Address, archive: Archive) -> None:
    chain.execute(address, f"create view col.own as select * from col_archive.{NAMES[3]}")
    refused = archive("drop", "--all", "--yes")
    assert refused.returncode == 3
    assert f"col_archive.{NAMES[3]} cannot be dropped" in refused.stderr
    assert "view col.own depends on table" in refused.stderr
    assert len(json.loads(archive("list", "--json").stdout)["archives"]) == len(NAMES)


def test_names_or_all_must_be_said(archive: Archive) -> None:
    assert archive("drop", "--yes").returncode == 2
    assert archive("drop", NAMES[0], "--all", "--yes").returncode == 2


def test_reading_loads_neither_alembic_nor_sqlalchemy() -> None:
    code = (
        "import sys, collec_migrations.cli.archive;"
        "print([m for m in ('alembic', 'sqlalchemy', 'pglast') if m in sys.modules])"
    )
    done = chain.run("python", "-c", code, folder=chain.ROOT)
    assert done.stdout == "[]\n", done.stderr
