"""`collec-migrations wrap`, and Alembic in a folder with wrapped versions."""

from pathlib import Path

import pytest

from collec_migrations.postgres.address import Address
from tests import chain, wrapping

INI = f"""\
[alembic]
script_location = collec_migrations:migrate/alembic
version_locations = {chain.ROOT}/versions:%(here)s/collec-versions
path_separator = os
"""
SCRIPT = "\\c collec\nset search_path = col;\ncreate table t (i int);\nselect f('col');\n"


@pytest.fixture
def folder(site: Path) -> Path:
    wrapping.write(site / "install", {"col_alter_1.1-27.0.sql": SCRIPT})
    return site


def wrap(folder: Path, *words: str) -> tuple[int, str, str]:
    done = chain.run("collec-migrations", "wrap", *words, folder=folder)
    return done.returncode, done.stdout, done.stderr


def test_wrap_tells_what_it_found(folder: Path) -> None:
    status, out, err = wrap(folder, "install")
    assert status == 0, err
    assert out.splitlines() == [
        "27.0: 3 statements of col_alter_1.1-27.0.sql",
        "  install/col_alter_1.1-27.0.sql:1: \\c collec: dropped,"
        " the run is connected to the database already",
        "  in doubt under other schema names: col_alter_1.1-27.0.sql:4: 'col'",
    ]
    assert "written to collec-versions" in err
    assert (folder / "collec-versions" / "v27_0.py").read_text().count("\n") < 20


def test_wrap_again_finds_nothing_new_and_a_changed_script_exits_with_1(folder: Path) -> None:
    wrap(folder, "install")
    assert wrap(folder, "install") == (0, "", "wrapped before, unchanged: 27.0\nnothing new\n")
    wrapping.write(folder / "install", {"col_alter_1.1-27.0.sql": "select 2;"})
    status, _, err = wrap(folder, "install")
    assert status == 1
    assert "27.0: the script is another than the one that was wrapped" in err


@pytest.mark.parametrize(
    ("name", "text", "status", "message"),
    [
        ("col_alter_1.1-1.2.sql", "selct 1;", 3, "install/col_alter_1.1-1.2.sql:1: syntax error"),
        ("col_alter_1.1-1.2.sql", "vacuum;", 3, "it cannot run inside a transaction"),
        ("col_alter_1.2-1.2.3.sql", "select 1;", 2, "a script from 1.1 is missing"),
        ("create.sql", "select 1;", 2, "no upgrade script in install"),
    ],
)
def test_wrap_refuses_and_writes_nothing(
    site: Path, name: str, text: str, status: int, message: str
) -> None:
    wrapping.write(site / "install", {name: text})
    found, _, err = wrap(site, "install")
    assert found == status
    assert message in err
    assert "Traceback" not in err
    assert not (site / "collec-versions").exists()


def test_alembic_goes_on_to_wrapped_versions(database: Address, folder: Path) -> None:
    (folder / "alembic.ini").write_text(INI)
    assert chain.alembic("heads", url=database.url, folder=folder).stdout == "1.1 (head)\n"
    text = SCRIPT.replace("select f('col');\n", "")
    wrapping.write(folder / "install", {"col_alter_1.1-27.0.sql": text})
    assert wrap(folder, "install")[0] == 0
    upgraded = chain.alembic("upgrade", "head", url=database.url, folder=folder)
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    assert chain.alembic("current", url=database.url, folder=folder).stdout == "27.0 (head)\n"
    refused = chain.alembic("downgrade", "-1", url=database.url, folder=folder)
    assert refused.returncode != 0
    assert "Restore the backup" in refused.stdout


def test_the_tools_own_upgrade_needs_no_ini(database: Address, folder: Path) -> None:
    text = SCRIPT.replace("select f('col');\n", "")
    wrapping.write(folder / "install", {"col_alter_1.1-27.0.sql": text})
    wrap(folder, "install")
    words = ("upgrade", "--plan", "--url", database.url)
    plan = chain.run("collec-migrations", *words, folder=folder)
    assert "27.0     upgrade by collec-versions/col_alter_1.1-27.0.sql: 2 statements" in plan.stdout
    assert "\\c collec: dropped" in plan.stdout
    done = chain.run("collec-migrations", "upgrade", "--yes", "--url", database.url, folder=folder)
    assert done.returncode == 0, done.stderr
    assert "installed at 27.0" in done.stdout
