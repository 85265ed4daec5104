"""What the history of a schema says of each step, and what its checksum does not see."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collec_migrations import sql, versions
from collec_migrations.bridge import history
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from tests import chain
from tests.chain import alembic

TEXT = "create table gacl.a (b text default 'é\tx');\n-- end\n"


def read(address: Address, schema: str) -> tuple[history.Row, ...]:
    """Return the history of a schema."""
    with chain.connected(address) as connection, connection.cursor() as cursor:
        return history.read(cursor, schema)


def test_a_row_says_what_was_done_by_whom_and_when(database: Address) -> None:
    chain.upgrade(database, "1.0.6")
    before = datetime.now(UTC)
    chain.upgrade(database, "1.0.8")
    row = read(database, "col")[-1]
    assert (row.version, row.kind, row.note) == ("1.0.8", "applied", "")
    assert row.script == "upgrade-1.0.6-1.0.8.sql"
    assert row.checksum == versions.load(row.script).checksum
    assert row.tool_version == history.tool_version()
    assert row.database_user == "super"
    assert row.client == history.client()
    assert before <= (row.started or before - timedelta(1)) <= datetime.now(UTC)
    assert timedelta(0) < row.duration < timedelta(minutes=1)


def test_both_schemas_have_a_row_for_each_step(database: Address) -> None:
    chain.upgrade(database, "1.0")
    chain.upgrade(database)
    for schema in ("gacl", "col"):
        rows = read(database, schema)
        assert [row.version for row in rows] == list(chain.VERSIONS)
        assert {row.kind for row in rows} == {"applied"}
    assert read(database, "col")[0].script == "gacl_create-1.0.sql, col_create-1.0.sql"


def test_every_checksum_is_that_of_the_scripts_at_hand(database: Address) -> None:
    chain.upgrade(database, "1.0")
    chain.upgrade(database, col="col,lab_b")
    for schema in ("gacl", "col", "lab_b"):
        for row in read(database, schema):
            assert versions.current_checksum(row.script) == row.checksum, row


def test_a_stamp_is_told_from_an_adoption(database: Address) -> None:
    chain.upgrade(database, "1.0.8")
    for schema in ("gacl", "col"):
        chain.execute(database, f"drop table {schema}.migration_history")
    chain.execute(database, "drop table col.alembic_version")
    assert alembic("stamp", "1.0.8", url=database.url).returncode == 0
    for schema in ("gacl", "col"):
        (row,) = read(database, schema)
        assert (row.version, row.kind, row.script, row.checksum) == ("1.0.8", "stamped", "", "")


def test_going_down_is_written_and_goes_on(database: Address) -> None:
    chain.upgrade(database, "1.0.8")
    assert alembic("downgrade", "-1", url=database.url).returncode == 0
    chain.upgrade(database, "1.0.8")
    past = [(row.version, row.kind) for row in read(database, "col")][-2:]
    assert past == [("1.0.6", "downgraded"), ("1.0.8", "applied")]


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "bom"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_line_ends_and_a_byte_order_mark_change_nothing(
    tmp_path: Path, mark: str, ends: str
) -> None:
    (tmp_path / "a.sql").write_bytes((mark + TEXT.replace("\n", ends)).encode())
    source = versions.load("a.sql", folder=tmp_path)
    assert source.checksum == versions.checksum(TEXT)
    bound = sql.bind(source.text, Names(gacl="rights").by_default_name)
    assert bound == TEXT.replace("gacl.", "rights.")


def test_any_other_change_changes_the_checksum() -> None:
    changed = [TEXT.replace("\t", " "), TEXT + "\n", TEXT.upper(), TEXT.replace("é", "e")]
    assert len({versions.checksum(text) for text in [TEXT, *changed]}) == 5
