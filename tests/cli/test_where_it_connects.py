"""Options, variables and alembic.ini name the database and the schemas, for `alembic` itself."""

from pathlib import Path

import pytest

from collec_migrations import application
from collec_migrations.postgres.address import Address
from tests import chain, commands

INI = """\
[alembic]
script_location = collec_migrations:migrate/alembic
version_locations = {versions}
path_separator = os
sqlalchemy.url = {url}
collec.gacl = Les droits
collec.col = 100%%
"""


def test_alembic_ini_names_database_and_schemas(database: Address, tmp_path: Path) -> None:
    text = INI.format(versions=chain.ROOT / "versions", url=database.url.replace("%", "%%"))
    (tmp_path / "alembic.ini").write_text(text)
    done = chain.run("alembic", "upgrade", "1.1", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert chain.query(database, 'select version_num from "100%".alembic_version') == [("1.1",)]
    assert chain.query(database, 'select count(*) from "Les droits".aclgroup') == [(5,)]
    seen = chain.run("collec-migrations", "detect", folder=tmp_path)
    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert "1.1" in seen.stdout.splitlines()[0]
    assert "100%" in seen.stdout.splitlines()[0]


def test_variables_of_libpq_name_the_database(database: Address, tmp_path: Path) -> None:
    variables = {
        "PGHOST": database.host,
        "PGPORT": str(database.port),
        "PGUSER": database.user,
        "PGDATABASE": database.dbname,
        "COLLEC_COL_SCHEMA": "data",
    }
    done = chain.run("alembic", "upgrade", "1.0", folder=chain.ROOT, variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert chain.query(database, "select version_num from data.alembic_version") == [("1.0",)]
    assert not (tmp_path / ".collec").exists()


def test_a_command_that_reads_makes_no_server(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text(
        "[alembic]\nscript_location = collec_migrations:migrate/alembic\n"
        f"version_locations = {chain.ROOT / 'versions'}\npath_separator = os\n"
    )
    done = chain.run("alembic", "current", folder=tmp_path)
    assert done.returncode != 0
    assert "this folder has no server of its own" in done.stdout
    assert not (tmp_path / ".collec").exists()


def test_a_chain_with_a_hole_or_without_versions_is_an_error_before_connecting(
    tmp_path: Path,
) -> None:
    """Alembic alone says success without doing anything, or ends with a KeyError."""
    variables = {"COLLEC_DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    chain.run("collec-migrations", "init", folder=tmp_path)
    ini = tmp_path / "alembic.ini"
    whole = ini.read_text()
    (line,) = [one for one in whole.splitlines() if one.startswith("version_locations")]
    folder = Path(line.partition(" = ")[2].partition(":")[0])
    part = tmp_path / "part"
    part.mkdir()
    for path in sorted(folder.glob("v*.py"))[3:]:
        (part / path.name).write_bytes(path.read_bytes())
    for named, told in (("/no/such", "there is no folder /no/such"), (part, "has a hole")):
        ini.write_text(whole.replace(str(folder), str(named)))
        done = chain.run("alembic", "upgrade", "head", folder=tmp_path, variables=variables)
        shown = done.stdout + done.stderr
        assert done.returncode != 0
        assert told in shown, shown
        assert "collec-migrations init" in shown
        assert "Traceback" not in shown


def test_a_byte_order_mark_in_alembic_ini_is_understood(database: Address, tmp_path: Path) -> None:
    """By the tool; `alembic` itself reads the file before anything of ours runs."""
    text = INI.format(versions=chain.ROOT / "versions", url=database.url.replace("%", "%%"))
    (tmp_path / "alembic.ini").write_text(f"\ufeff{text}", encoding="utf-8")
    done = chain.run("collec-migrations", "upgrade", "1.1", "--yes", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert chain.query(database, 'select version_num from "100%".alembic_version') == [("1.1",)]


def test_the_one_application_of_a_machine_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for found, told in ((("/var/www/collec",), "--app /var/www/collec"), ((), "--app DIR")):
        monkeypatch.setattr(application, "installed", lambda found=found: tuple(map(Path, found)))
        done = commands.invoke("detect", COLLEC_APP="", COLLEC_DATABASE_URL="")
        assert (done.exit_code, told in done.stderr) == (3, True), done.stderr
