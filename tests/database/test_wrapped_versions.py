"""Databases that wrapped scripts brought to known and to later versions."""

import shutil
import sys
from pathlib import Path

from collec_migrations.catalog import compare
from collec_migrations.postgres.address import Address
from tests import chain, wrapping
from tests.constructs import ROWS, SCRIPTS
from tests.servers import Server

TO_1_2 = """
set search_path = col;
create table dbparam (
    dbparam_id integer not null, dbparam_name varchar not null, dbparam_value varchar,
    constraint dbparam_pk primary key (dbparam_id));
alter table identifier_type add column used_for_search boolean not null default false;
alter table label add column identifier_only boolean not null default false;
insert into dbversion (dbversion_number, dbversion_date) values ('1.2', '2018-01-01');
"""
LATER = """
create table col.later (i integer);
insert into col.dbversion (dbversion_number, dbversion_date) values ('27.0', '2030-01-01');
"""


def tool(folder: Path, address: Address, *words: str) -> tuple[int, str]:
    """Run a command on a database; return its status and all that it says."""
    done = chain.run("collec-migrations", *words, "--url", address.url, folder=folder)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_a_known_version_is_detected_verified_and_adopted(database: Address, site: Path) -> None:
    wrapping.wrapped({"col_alter_1.1-1.2.sql": TO_1_2})
    said = chain.upgrade(database)
    assert not any("differs from the known" in line for line in said)
    status, told = tool(site, database, "detect")
    assert (status, "version 1.2, as it should be" in told) == (0, True)
    assert tool(site, database, "verify")[0] == 0
    chain.execute(database, "drop table col.alembic_version, col.migration_history")
    status, told = tool(site, database, "adopt")
    assert (status, "is adopted as version 1.2" in told) == (0, True)
    assert chain.query(database, "select version_num from col.alembic_version") == [("1.2",)]


def test_a_later_version_is_not_taken_for_an_older_one(database: Address, site: Path) -> None:
    wrapping.wrapped({"col_alter_1.1-27.0.sql": LATER})
    chain.upgrade(database)
    status, told = tool(site, database, "detect")
    assert status == 1
    assert "says to be at version 27.0, which this tool does not know" in told
    assert "its tables are nearest to 1.1, with 1 difference" in told
    for words, expected, message in [
        (("verify",), 3, "what a sound database of version 27.0 contains is not known here"),
        (("adopt",), 1, "says to be at version 27.0, which this tool does not know"),
        (("adopt", "1.1"), 1, "schema 'col' is not 1.1 but 27.0"),
        (("adopt", "27.1", "--force"), 2, "there is no version '27.1'"),
        (("adopt", "27.0", "--force"), 0, "was adopted before as version 27.0"),
    ]:
        status, told = tool(site, database, *words)
        assert (status, message in told) == (expected, True), told
    assert chain.query(database, "select version_num from col.alembic_version") == [("27.0",)]


def test_a_later_version_reached_by_psql_is_adopted_by_force(database: Address, site: Path) -> None:
    chain.upgrade(database)
    chain.execute(database, LATER)
    chain.execute(database, "drop table col.alembic_version, col.migration_history")
    wrapping.wrapped({"col_alter_1.1-27.0.sql": LATER})
    status, told = tool(site, database, "detect")
    assert "adopt 27.0 --force" in told
    status, told = tool(site, database, "adopt", "27.0", "--force")
    assert (status, "is adopted as version 27.0" in told) == (0, True)
    assert chain.upgrade(database) == []
    history = "select version, kind, note from {}.migration_history order by 1 desc limit 1"
    forced = "forced: a version that is not known cannot be checked"
    assert chain.query(database, history.format("col")) == [("27.0", "adopted", forced)]
    assert chain.query(database, history.format("gacl"))[0][0] == "27.0"


def test_a_source_tree_goes_on_to_what_was_wrapped_into_it(database: Address, site: Path) -> None:
    tree = site / "tree"
    for name in ("versions", "legacy_sql"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(chain.ROOT / name, tree / name, ignore=ignored)
    (tree / "collec_migrations").symlink_to(chain.ROOT / "collec_migrations")
    shutil.copy(chain.ROOT / "alembic.ini", tree)
    wrapping.write(site / "install", {"col_alter_1.1-1.2.sql": TO_1_2})
    variables = {"PYTHONPATH": str(tree), "COLLEC_DATABASE_URL": database.url}

    def python(*words: str) -> str:
        name = Path(sys.executable).name
        done = chain.run(name, *words, folder=tree, variables=variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    main = "from collec_migrations.cli.main import main; main()"
    python("-c", main, "wrap", str(site / "install"), "--into", ".")
    assert (tree / "versions" / "v1_2.py").is_file()
    assert (tree / "legacy_sql" / "col_alter_1.1-1.2.sql").read_text() == TO_1_2
    python("-m", "alembic", "upgrade", "head")
    assert chain.query(database, "select version_num from col.alembic_version") == [("1.2",)]
    assert chain.query(database, "select count(*) from col.dbparam") == [(0,)]
    assert "as it should be" in python("-c", main, "detect", "--url", database.url)


def test_every_construct_gives_the_same_on_every_major(
    server18: Server, any_server: Server, site: Path
) -> None:
    wrapping.wrapped(SCRIPTS)
    known = wrapping.constructed(server18)
    with any_server.database() as address:
        chain.upgrade(address)
        assert not compare(expected=chain.catalog(known), observed=chain.catalog(address))
        for sql in ROWS.values():
            assert chain.query(address, sql) == chain.query(known, sql)
