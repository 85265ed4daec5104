"""`--app`: every command finds the application's database, whatever the environment says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collec_migrations.postgres.address import Address
from collec_migrations.settings import LIBPQ_VARIABLES
from tests import chain
from tests.servers import Server

WRONG = {
    **dict.fromkeys(LIBPQ_VARIABLES, "wrong"),
    "PGPORT": "1",
    "PGHOSTADDR": "127.0.0.9",
    "PGSERVICE": "wrong",
    "PGOPTIONS": "-c search_path=wrong -c standard_conforming_strings=off",
    "PGCLIENTENCODING": "LATIN1",
    "PGDATESTYLE": "SQL, DMY",
    "PGTZ": "Asia/Tokyo",
    "PGAPPNAME": "wrong",
    "COLLEC_DATABASE_URL": "postgresql://127.0.0.9:1/wrong",
    "COLLEC_COL_SCHEMA": "wrong",
    "COLLEC_GACL_SCHEMA": "wrong",
}
SERVICE = "[wrong]\nhost=127.0.0.9\nport=1\ndbname=wrong\nuser=wrong\n"


@pytest.fixture(scope="module")
def installed(server18: Server) -> Iterator[Address]:
    """Give a database at 1.0.8 under names that are not the defaults."""
    with server18.database() as address:
        chain.upgrade(address, "1.0.8", gacl="rights", col="lab")
        yield address


@pytest.fixture
def app(installed: Address, tmp_path: Path) -> Path:
    """Return the folder of an application that uses it."""
    folder = tmp_path / "app"
    (folder / "param").mkdir(parents=True)
    (folder / "param" / "param.inc.php").write_text(
        f"<?php\n$APPLI_dbversion = '1.1';\n$BDD_login = '{installed.user}';\n"
        f"$BDD_dsn = 'pgsql:host={installed.host};port={installed.port};"
        f"dbname={installed.dbname}';\n"
        "$BDD_schema = 'lab,rights,public';\n$GACL_schema = 'rights';\n$BDD_passwd = 'x';\n"
    )
    return folder


@pytest.mark.parametrize("variable", sorted(WRONG))
def test_it_wins_over_every_variable(app: Path, tmp_path: Path, variable: str) -> None:
    (tmp_path / "services").write_text(SERVICE)
    variables = {variable: WRONG[variable]}
    if variable == "PGSERVICE":
        variables["PGSERVICEFILE"] = str(tmp_path / "services")
    done = chain.run(
        "collec-migrations", "detect", "--app", str(app), folder=tmp_path, variables=variables
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'lab' (rights: 'rights')" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("history",),
        ("archive", "list"),
        ("verify",),
        ("upgrade", "--plan"),
        ("doctor",),
        ("app-config",),
        ("backup", "run", "--into", "backups"),
    ],
    ids=" ".join,
)
def test_every_command_that_needs_a_database_takes_it(
    app: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    variables = {"COLLEC_APP": str(app), "PGPORT": "1", "PGDATABASE": "wrong"}
    named = chain.run("collec-migrations", *words, folder=tmp_path, variables=variables)
    assert named.returncode in (0, 1, 3), named.stdout + named.stderr
    assert "error:" not in named.stderr
    assert not (tmp_path / ".collec").exists()


def test_alembic_takes_it_too(app: Path, tmp_path: Path) -> None:
    ini = (chain.ROOT / "alembic.ini").read_text().replace("%(here)s", str(chain.ROOT))
    (tmp_path / "alembic.ini").write_text(ini)
    for words, variables in (
        (("-x", f"app={app}"), {"PGPORT": "1"}),
        ((), {"COLLEC_APP": str(app), "PGPORT": "1"}),
    ):
        done = chain.run("alembic", *words, "current", folder=tmp_path, variables=variables)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1.0.8" in done.stdout


def test_what_was_typed_wins_over_it(app: Path, installed: Address, tmp_path: Path) -> None:
    done = chain.run(
        "collec-migrations", "detect", "--app", str(app), "--url", "postgresql://127.0.0.9:1/x",
        folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 3
    assert "cannot connect" in done.stderr


def test_libpq_fills_what_it_leaves_open(app: Path, installed: Address, tmp_path: Path) -> None:
    site = app / "param" / "param.inc.php"
    site.write_text(site.read_text().replace(f"host={installed.host};port={installed.port};", ""))
    variables = {"PGHOST": installed.host, "PGPORT": str(installed.port), "PGDATABASE": "wrong"}
    done = chain.run(
        "collec-migrations", "history", "--app", str(app), folder=tmp_path, variables=variables
    )
    assert done.returncode == 0, done.stderr
    assert "lab:" in done.stdout


def test_an_application_that_says_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "app" / "Config").mkdir(parents=True)
    (tmp_path / "app" / "Config" / "App.php").write_text('<?php public string $dbversion = "25.0";')
    done = chain.run("collec-migrations", "detect", "--app", str(tmp_path), folder=tmp_path)
    assert done.returncode == 2
    assert "does not say where its database is" in done.stderr
    assert not (tmp_path / ".collec").exists()
