"""Alembic stays Alembic: its commands do what an Alembic user expects."""

from itertools import pairwise

import pytest

from collec_migrations.postgres.address import Address
from tests import chain
from tests.chain import alembic
from tests.conftest import Clone
from tests.servers import Server


def test_upgrade_head_then_current_shows_head(database: Address) -> None:
    upgraded = alembic("upgrade", "head", url=database.url)
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    assert alembic("current", url=database.url).stdout == f"{chain.HEAD} (head)\n"


def test_a_second_upgrade_changes_nothing(database: Address) -> None:
    chain.upgrade(database)
    before = chain.query(database, "select * from col.migration_history")
    again = alembic("upgrade", "head", url=database.url)
    assert again.returncode == 0
    assert "Running" not in again.stderr
    assert chain.query(database, "select * from col.migration_history") == before


def test_history_and_heads_show_one_linear_chain(database: Address) -> None:
    shown = alembic("history", url=database.url).stdout.splitlines()
    arrows = [line.split(",")[0] for line in shown]
    older = ("<base>", *chain.VERSIONS)
    expected = [f"{one} -> {next_one}" for one, next_one in pairwise(older)]
    assert arrows == [*expected[:-1], f"{expected[-1]} (head)"][::-1]
    assert expected[:2] == ["<base> -> 1.0", "1.0 -> 1.0.4"]
    assert alembic("heads", url=database.url).stdout == f"{chain.HEAD} (head)\n"


def test_relative_steps_work(database: Address) -> None:
    chain.upgrade(database, "1.0")
    assert alembic("upgrade", "+1", url=database.url).returncode == 0
    assert alembic("current", url=database.url).stdout == "1.0.4\n"


def test_stamp_writes_the_version_it_reads_as(database: Address) -> None:
    chain.upgrade(database, "1.0.8")
    chain.execute(database, "drop table col.alembic_version; drop table col.migration_history")
    stamped = alembic("stamp", "1.0.8", url=database.url)
    assert stamped.returncode == 0, stamped.stdout
    assert alembic("current", url=database.url).stdout == "1.0.8\n"
    assert chain.query(database, "select version, kind from col.migration_history") == [
        ("1.0.8", "stamped")
    ]


@pytest.mark.parametrize("command", ["upgrade", "stamp", "downgrade"])
@pytest.mark.parametrize("version", ["1", "1.0.8+1", "1.0.7", "1.", "v1.1", "1.1 "])
def test_what_is_no_exact_version_is_refused(
    server18: Server, clone: Clone, command: str, version: str
) -> None:
    database = clone(chain.template_at(server18, "1.0.8"))
    refused = alembic(command, version, url=database.url)
    assert refused.returncode != 0
    assert f"{version!r} is not a version of the database" in refused.stdout
    assert "1.0, 1.0.4, 1.0.5, 1.0.6, 1.0.8, 1.1" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr
    assert alembic("current", url=database.url).stdout == "1.0.8\n"


def test_an_option_that_does_not_exist_is_refused(database: Address) -> None:
    refused = alembic("-x", "gcal=rights", "upgrade", "head", url=database.url)
    assert refused.returncode != 0
    assert "unknown option -x gcal" in refused.stdout
    assert chain.query(database, "select 1 from pg_namespace where nspname = 'col'") == []


@pytest.mark.parametrize(
    ("gacl", "col", "message"),
    [
        ("same", "same", "are both named 'same'"),
        ("", "col", "the name of the gacl schema is empty"),
        ("gacl", "", "the name of the col schema is empty"),
        ("gacl", "é" * 32, "has 64 bytes, more than 63"),
        ("pg_rights", "col", "is reserved for PostgreSQL"),
    ],
)
def test_unusable_names_are_refused_before_anything_is_touched(
    database: Address, gacl: str, col: str, message: str
) -> None:
    words = ("-x", f"gacl={gacl}", "-x", f"col={col}", "upgrade", "head")
    refused = alembic(*words, url=database.url)
    assert refused.returncode != 0
    assert message in refused.stdout
    schemas = "select nspname from pg_namespace where nspname !~ '^pg_|^information|^public'"
    assert chain.query(database, schemas) == []


def test_a_database_with_tables_but_no_version_is_refused(database: Address) -> None:
    chain.execute(database, "create schema col; create table col.something (id integer)")
    refused = alembic("upgrade", "head", url=database.url)
    assert refused.returncode != 0
    assert "schema 'col' holds 1 tables but no version" in refused.stdout
    assert "collec-migrations detect" in refused.stdout


@pytest.mark.parametrize("target", ["1.0.5", "head", "+1"])
def test_stamp_refuses_a_version_that_is_not_seen(
    server18: Server, clone: Clone, target: str
) -> None:
    database = clone(chain.template_at(server18, "1.0.8"))
    before = chain.query(database, "select * from col.migration_history")
    refused = alembic("stamp", target, url=database.url)
    assert refused.returncode != 0
    assert "schema 'col' is seen as 1.0.8, not as " in refused.stdout
    assert "hint: Type: collec-migrations adopt " in refused.stdout
    assert chain.query(database, "select * from col.migration_history") == before
    assert alembic("current", url=database.url).stdout == "1.0.8\n"


def test_stamp_refuses_a_schema_with_nothing_in_it(database: Address) -> None:
    chain.execute(database, "create schema col")
    refused = alembic("stamp", "head", url=database.url)
    assert refused.returncode != 0
    assert "there is nothing to stamp" in refused.stdout
