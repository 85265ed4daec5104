"""`--sql`: psql brings a database to the same catalog and rows as the online run.

The golden files are whole scripts with what varies replaced. After a wanted change write them
anew with `make golden`, and review the diff.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from collec_migrations.bridge import history
from collec_migrations.catalog import compare
from collec_migrations.names import Names
from collec_migrations.postgres import locks, programs
from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data
from tests import chain
from tests.builders import rows
from tests.chain import alembic
from tests.servers import Server

GOLDEN = chain.ROOT / "tests" / "data" / "golden"
NAMES = {
    "default": Names(),
    "awkward": Names(gacl="order %s\\", col='l\'"a" b:c'),
}
TARGETS = {"step": "1.0.8:1.1", "install": "head", "walk": "1.0.8"}
VOLATILE = (
    (re.compile(r"(?<=\W)E?'(?:[^'\\]|\\\\|'')*@(?:[^'\\]|\\\\|'')*'\);$", re.M), "'<client>');"),
    (re.compile(re.escape(f"'{history.tool_version()}'")), "'<tool version>'"),
    (re.compile(r"^INFO .*\n", re.M), ""),
)
TIMES = ("started", "duration", "client", "migration_history_id")


def options(names: Names) -> list[str]:
    """Return the words that name a pair."""
    return ["-x", f"gacl={names.gacl}", "-x", f"col={chain.quoted(names.col)}"]


def written(
    target: str, *words: str, password: str = chain.PASSWORD
) -> subprocess.CompletedProcess[str]:
    """Return what `alembic upgrade TARGET --sql` gives, without any server at hand."""
    return alembic(
        *words,
        *("upgrade", target, "--sql"),
        url="postgresql://nobody@127.0.0.1:1/nowhere",
        COLLEC_ADMIN_PASSWORD=password,
    )


def psql(server: Server, address: Address, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a user does, without any option."""
    return subprocess.run(
        [str(server.binaries.program("psql")), "-X", "-q", "-d", address.dsn, "-f", "-"],
        input=script,
        capture_output=True,
        encoding="utf-8",
        env=programs.environment(),
        check=False,
    )


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_the_script_is_the_reviewed_one(
    target: str, names: Names, request: pytest.FixtureRequest
) -> None:
    script = written(target, *options(names)).stdout
    for pattern, shown in VOLATILE:
        script = pattern.sub(shown, script)
    name = re.sub(r".*\[(.*)\]", r"\1", request.node.name)
    golden = GOLDEN / f"{name}.sql"
    if os.environ.get("COLLEC_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(script, "utf-8", newline="\n")
    assert script == golden.read_text("utf-8")


def contents(address: Address, names: Names) -> dict[str, object]:
    """Return the catalog and all rows of a pair, but what tells one run from another."""
    found: dict[str, object] = {"catalog": chain.catalog(address, names)}
    with chain.connected(address) as connection:
        for schema in names.by_default_name.values():
            columns = rows.columns(connection, schema)
            if "migration_history" in columns:
                columns["migration_history"] = [
                    name for name in columns["migration_history"] if name not in TIMES
                ]
            if "request" in columns:
                columns["request"] = [one for one in columns["request"] if one != "create_date"]
            found[schema] = rows.dump_rows(connection, schema, columns)
    return found


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("target", ["head", "1.0.8"])
def test_psql_installs_what_the_online_run_installs(
    server18: Server, target: str, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLEC_ADMIN_PASSWORD", chain.PASSWORD)
    with server18.database() as online, server18.database() as offline:
        chain.upgrade(online, target, **chain.under(names))
        done = psql(server18, offline, written(target, *options(names)).stdout)
        assert (done.returncode, done.stderr) == (0, "")
        assert contents(offline, names) == contents(online, names)


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_psql_upgrades_as_the_online_run_does(server18: Server, names: Names) -> None:
    def build(address: Address) -> None:
        chain.upgrade(address, "1.0.8", **chain.under(names))
        with chain.connected(address) as connection:
            sample_data.fill(connection, names, movements=60)
            connection.commit()

    template = server18.template(f"offline {names.col}", build)
    with server18.database(template) as online, server18.database(template) as offline:
        chain.upgrade(online, "1.1", **chain.under(names))
        done = psql(server18, offline, written("1.0.8:1.1", *options(names)).stdout)
        assert (done.returncode, done.stderr) == (0, "")
        assert undated(contents(offline, names)) == undated(contents(online, names))
        assert not compare(expected=chain.known("1.1"), observed=chain.catalog(offline, names))


def undated(found: dict[str, object]) -> str:
    """Return contents as a text, without the moment at which something was archived."""
    return re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00)", "<moment>", repr(found))


def test_psql_installs_several_pairs(server18: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLEC_ADMIN_PASSWORD", chain.PASSWORD)
    with server18.database() as online, server18.database() as offline:
        chain.upgrade(online, col="lab_a,lab_b")
        chain.execute(offline, "create schema lab_a")
        done = psql(server18, offline, written("head", "-x", "col=lab_a,lab_b").stdout)
        assert (done.returncode, done.stderr) == (0, "")
        for schema in ("lab_a", "lab_b"):
            names = Names(col=schema)
            assert contents(offline, names) == contents(online, names)


def test_psql_stops_at_the_first_error_and_leaves_nothing(
    server18: Server, database: Address
) -> None:
    chain.execute(database, "create schema gacl; create table gacl.aclgroup ()")
    done = psql(server18, database, written("head").stdout)
    assert done.returncode == 3
    assert done.stderr.count("ERROR") == 1
    assert chain.query(database, "select 1 from pg_namespace where nspname = 'col'") == []


def test_the_random_password_is_told_and_not_written() -> None:
    done = written("head", password="")
    (told,) = [line for line in done.stderr.splitlines() if "with the password" in line]
    assert told.rsplit(" ", 1)[-1] not in done.stdout


def test_literals_are_written_as_they_are() -> None:
    script = written("head").stdout
    source = (chain.ROOT / "legacy_sql" / "col_create-1.1.sql").read_text("utf-8")
    (stylesheet,) = re.findall(r"'<\?xml.*?</xsl:stylesheet>\s*'", source, re.S)
    assert stylesheet in script


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_the_script_is_utf_8_whatever_the_terminal(encoding: str) -> None:
    words = ["-x", "col=données", "upgrade", "head", "--sql"]
    done = subprocess.run(
        [str(Path(sys.executable).parent / "alembic"), *words],
        cwd=chain.ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding, "COLLEC_ADMIN_PASSWORD": "x"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"données"' in done.stdout.decode("utf-8")


def test_a_script_begins_by_stopping_at_errors() -> None:
    commands = [
        line for line in written("head").stdout.splitlines() if line and not line.startswith("--")
    ]
    assert commands[0] == "\\set ON_ERROR_STOP on"
    assert commands[-1] == "COMMIT;"


def test_each_version_is_a_transaction_on_request() -> None:
    script = written("1.0.8", "-x", "transaction=per-version").stdout
    assert script.count("COMMIT;") == chain.VERSIONS.index("1.0.8") + 1


@pytest.mark.parametrize("transaction", ["per-run", "per-version"])
def test_a_script_refuses_to_run_beside_another_run(
    server18: Server, database: Address, transaction: str
) -> None:
    script = written("head", "-x", f"transaction={transaction}").stdout
    with chain.connected(database) as other:
        other.cursor().execute(f"select pg_advisory_lock({locks.KEY})")
        done = psql(server18, database, script)
    assert done.returncode == 3
    assert "another run holds this database" in done.stderr
    assert chain.query(database, "select 1 from pg_namespace where nspname = 'col'") == []
