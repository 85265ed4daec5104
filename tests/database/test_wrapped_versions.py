"""A version that only the site knows is a version: every command works on it."""

from pathlib import Path

from collec_migrations import versions
from collec_migrations.postgres.address import Address
from tests import chain, wrapping
from tests.servers import Server

HEAD = versions.in_chain()[-1]
SCRIPT = f"col_alter_{HEAD}-27.0.sql"
LATER = """
create table col.later (i integer primary key, t text);
insert into col.dbversion (dbversion_number, dbversion_date) values ('27.0', '2030-01-01');
"""


def tool(folder: Path, address: Address, *words: str) -> tuple[int, str]:
    """Run a command on a database; return its status and all that it says."""
    done = chain.run("collec-migrations", *words, "--url", address.url, folder=folder)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_it_is_detected_verified_and_adopted(database: Address, site: Path) -> None:
    wrapping.wrapped({SCRIPT: LATER})
    chain.upgrade(database)
    status, told = tool(site, database, "detect")
    assert (status, "version 27.0, as it should be" in told) == (0, True), told
    status, told = tool(site, database, "verify")
    assert status == 0, told
    status, told = tool(site, database, "history")
    assert "27.0" in told
    status, told = tool(site, database, "doctor")
    assert "27.0" in told
    chain.execute(database, "drop table col.alembic_version, col.migration_history")
    status, told = tool(site, database, "adopt", "--yes")
    assert (status, "is adopted as version 27.0" in told) == (0, True), told
    assert chain.query(database, "select version_num from col.alembic_version") == [("27.0",)]


def test_drift_is_seen_from_then_on(database: Address, site: Path) -> None:
    wrapping.wrapped({SCRIPT: LATER})
    chain.upgrade(database)
    chain.execute(database, "alter table col.later drop column t")
    status, told = tool(site, database, "verify")
    assert (status, "later.t" in told) == (1, True), told


def test_it_is_rehearsed(database: Address, site: Path) -> None:
    chain.upgrade(database, HEAD)
    wrapping.wrapped({SCRIPT: LATER})
    status, told = tool(site, database, "rehearse")
    assert (status, "27.0" in told) == (0, True), told
    assert not (wrapping.SITE / "27.0.json").exists(), "a copy gives no facts of the site"
    chain.upgrade(database, backup="no")
    status, told = tool(site, database, "rehearse")
    assert status == 0, told


def test_where_the_step_ran_elsewhere_it_is_not_taken_for_an_older_one(
    database: Address, site: Path
) -> None:
    wrapping.wrapped({SCRIPT: LATER})
    chain.upgrade(database)
    (wrapping.SITE / "27.0.json").unlink()
    status, told = tool(site, database, "detect")
    assert status == 1
    assert "records version 27.0, which is not known here" in told
    status, told = tool(site, database, "verify")
    assert (status, "version 27.0 contains is not known here" in told) == (3, True), told


def test_it_is_known_again_on_a_restored_copy(
    database: Address, server18: Server, site: Path
) -> None:
    wrapping.wrapped({SCRIPT: LATER})
    chain.upgrade(database)
    with server18.database() as other:
        chain.upgrade(other)
        assert tool(site, other, "verify")[0] == 0


def test_facts_that_are_none_are_refused_in_one_line(database: Address, site: Path) -> None:
    wrapping.wrapped({SCRIPT: LATER})
    chain.upgrade(database)
    for text in ("{", "[]", '{"col": 1}'):
        (wrapping.SITE / "27.0.json").write_text(text)
        status, told = tool(site, database, "verify")
        assert (status, "27.0.json is no catalog" in told) == (3, True), told
