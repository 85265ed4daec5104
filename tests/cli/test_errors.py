"""What a user sees when something is wrong: one line, a hint, a status, and nothing lost."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from collec_migrations import versions
from collec_migrations.errors import ScriptUnreadable
from collec_migrations.postgres.address import Address
from tests import chain
from tests.builders import rows
from tests.chain import alembic
from tests.servers import Server

SECRET = "s3cr3t-%-and-more"
ENCODED = SECRET.replace("%", "%25")


@pytest.fixture(scope="module")
def stranger(server18: Server) -> str:
    """Return the name of a role that may connect and nothing else."""
    server18.create_role("without_rights", SECRET)
    return "without_rights"


WRONG = [
    pytest.param("postgresql://u:{}@127.0.0.1:1/x", "refused", id="refused"),
    pytest.param("postgresql://u:{}@no.such.host.invalid/x", "translate host", id="host"),
    pytest.param("postgresql://u:{}@127.0.0.1:port/x", "is not a valid address", id="port"),
    pytest.param("postgresql://u:{}@[::1/x", "is not a valid address", id="bracket"),
    pytest.param("mysql://u:{}@127.0.0.1/x", "not an address of PostgreSQL", id="mysql"),
    pytest.param("host=127.0.0.1 password={} nonsense", "is not a valid address", id="keywords"),
]


@pytest.mark.parametrize(("url", "message"), WRONG)
@pytest.mark.parametrize("debug", ["", "1"])
def test_a_wrong_address_is_one_line_without_the_password(
    url: str, message: str, debug: str
) -> None:
    done = alembic("upgrade", "head", url=url.format(ENCODED), COLLEC_DEBUG=debug)
    shown = done.stdout + done.stderr
    assert done.returncode != 0
    assert message in shown
    assert SECRET not in shown
    assert ENCODED not in shown
    assert ("Traceback" in shown) == bool(debug)


UNESCAPED = [
    "postgresql://lab:SEC@RET@127.0.0.1:1/x",
    "postgresql://lab:SEC/RET@127.0.0.1:1/x",
    "postgresql://lab:SEC?RET/RET@127.0.0.1:1/x",
    "postgresql://lab:SEC:RET/1@127.0.0.1:1/x",
    "postgresql://lab:SEC@RET/RET@[::1]:1/x?sslmode=disable",
]


@pytest.mark.parametrize("url", UNESCAPED)
@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("collec-migrations", "detect", "--url"), "--url is"),
        (("collec-migrations", "rehearse", "--from"), "--from is"),
        (("alembic", "-x"), "-x url is"),
    ],
    ids=["url", "from", "alembic"],
)
def test_no_part_of_a_password_that_was_not_escaped_is_shown(
    url: str, words: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    """libpq takes the part of it before `/` or `@` for a host or a port, and names it."""
    last = f"url={url}" if words[-1] == "-x" else url
    more = ("current",) if words[0] == "alembic" else ()
    done = chain.run(*words, last, *more, folder=chain.ROOT)
    shown = done.stdout + done.stderr
    assert named in shown, shown
    assert "%40" in shown
    assert not {"SEC", "RET"} & set(re.findall("[A-Z]+", shown))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://h/x?schema=lab", "Schemas are named by --gacl and --col"),
        ("postgresql://h/x?currentSchema=lab", "Schemas are named by --gacl and --col"),
        ("postgresql:///x?host=a:1&host=b:2", "postgresql://user@one:5432,two:5432/database"),
    ],
)
def test_a_parameter_of_another_driver_is_told_for_what_it_is(url: str, told: str) -> None:
    done = chain.run("collec-migrations", "detect", "--url", url, folder=chain.ROOT)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("diagram",), ("diagram", "--json"), ("history", "--help")])
def test_a_full_disk_behind_the_output_is_one_line(
    words: tuple[str, ...], unbuffered: str, tmp_path: Path
) -> None:
    program = Path(sys.executable).parent / "collec-migrations"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [program, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            encoding="utf-8",
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr == "error: what was to be written does not fit: No space left on device\n"


def test_a_wrong_password_is_told_and_not_shown(
    server18: Server, stranger: str, database: Address
) -> None:
    url = server18.tcp_url(stranger, "an0ther-s3cr3t", database.dbname)
    done = alembic("upgrade", "head", url=url)
    assert done.returncode != 0
    assert "password authentication failed" in done.stdout
    assert "hint: " in done.stdout
    assert "an0ther-s3cr3t" not in done.stdout + done.stderr


def test_a_missing_database_is_told(database: Address) -> None:
    url = database.url.replace(database.dbname, "no_such_database")
    done = alembic("current", url=url)
    assert done.returncode != 0
    assert 'database "no_such_database" does not exist' in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_next_command_is_about_the_same_database(database: Address, tmp_path: Path) -> None:
    url = database.url.replace("@", ":of-nobody@", 1)
    for words in (("--url", url, "--col", "lab data"), (f"--url={url}", "--col=lab data")):
        done = chain.run("collec-migrations", "adopt", *words, "--plan", folder=tmp_path)
        assert done.returncode != 0
        hint = done.stderr.partition("hint: ")[2]
        typed = re.search(r"collec-migrations detect (--url '[^']+' --col 'lab data')`", hint)
        assert typed, done.stderr
        assert "of-nobody" not in done.stderr
        again = chain.run("collec-migrations", "detect", *shlex.split(typed[1]), folder=tmp_path)
        assert again.stdout.startswith("schema 'lab data'"), again.stderr


def test_a_missing_right_is_told_and_nothing_is_made(
    server18: Server, stranger: str, database: Address
) -> None:
    url = server18.tcp_url(stranger, ENCODED, database.dbname)
    done = alembic("upgrade", "head", url=url)
    assert done.returncode != 0
    assert "may not create schema 'col' and schema 'gacl' in database" in done.stdout
    assert "hint: " in done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert chain.query(database, "select 1 from pg_namespace where nspname = 'col'") == []


def line_of_metadata() -> int:
    """Return the line of the step to 1.1 where it makes the table `metadata`."""
    script = (chain.ROOT / "legacy_sql" / "upgrade-1.0.8-1.1.sql").read_text("utf-8").splitlines()
    (line,) = (at for at, text in enumerate(script, 1) if "create table col.metadata (" in text)
    return line


def test_a_failing_statement_is_told_by_file_and_line_and_leaves_nothing(
    server18: Server, database: Address
) -> None:
    chain.upgrade(database, "1.0.8")
    chain.execute(database, "create view col.metadata as select 1 as one")
    with chain.connected(database) as connection:
        before = rows.dump_rows(connection, "col"), rows.dump_rows(connection, "gacl")
    catalog = chain.catalog(database)
    line = line_of_metadata()
    done = alembic("upgrade", "head", url=database.url)
    assert done.returncode != 0
    assert f'legacy_sql/upgrade-1.0.8-1.1.sql:{line}: relation "metadata" already exists' in (
        done.stdout
    )
    assert "create table" in done.stdout
    assert "nothing was applied" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    with chain.connected(database) as connection:
        assert (rows.dump_rows(connection, "col"), rows.dump_rows(connection, "gacl")) == before
    assert chain.catalog(database) == catalog
    assert chain.query(database, "select version_num from col.alembic_version") == [("1.0.8",)]


def test_the_tool_ends_with_status_3_after_a_failing_statement(database: Address) -> None:
    chain.upgrade(database, "1.0.8")
    chain.execute(database, "create view col.metadata as select 1 as one")
    done = chain.run(
        "collec-migrations",
        "upgrade",
        "--yes",
        folder=chain.ROOT,
        variables={"COLLEC_DATABASE_URL": database.url},
    )
    assert done.returncode == 3
    told = f'upgrade-1.0.8-1.1.sql:{line_of_metadata()}: relation "metadata" already exists'
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failure_in_the_middle_of_the_chain_leaves_nothing(database: Address) -> None:
    chain.execute(database, "create schema gacl; create table gacl.in_the_way ()")
    chain.execute(database, "drop table gacl.in_the_way")
    chain.upgrade(database, "1.0")
    chain.execute(database, "create table col.sampling_place (id integer)")
    before = chain.catalog(database)
    done = alembic("upgrade", "head", url=database.url)
    assert done.returncode != 0
    assert "legacy_sql/upgrade-1.0.4-1.0.5.sql:" in done.stdout
    assert chain.catalog(database) == before
    assert chain.query(database, "select version_num from col.alembic_version") == [("1.0",)]
    assert chain.query(database, "select version from col.migration_history") == [("1.0",)]


def test_a_missing_script_is_one_line() -> None:
    with pytest.raises(ScriptUnreadable, match=r"cannot read the script .*nothing\.sql: No such"):
        versions.load("nothing.sql")


def test_a_script_that_is_not_utf_8_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "latin.sql").write_bytes("select 'é'".encode("latin-1"))
    with pytest.raises(ScriptUnreadable, match="is not UTF-8"):
        versions.load("latin.sql", folder=tmp_path)
