"""`collec-migrations wrap` and `upgrade` in a folder with wrapped versions; Alembic there too."""

from pathlib import Path

import pytest

from collec_migrations import versions
from collec_migrations.postgres.address import Address
from tests import chain, wrapping

HEAD = versions.in_chain()[-1]
NAME = f"col_alter_{HEAD}-27.0.sql"
INI = f"""\
[alembic]
script_location = collec_migrations:migrate/alembic
version_locations = {chain.ROOT}/versions:%(here)s/collec-versions
path_separator = os
"""
SCRIPT = "\\c collec\nset search_path = col;\ncreate table t (i int);\n"


@pytest.fixture
def folder(site: Path) -> Path:
    wrapping.write(site / "install", {NAME: SCRIPT})
    return site


def wrap(folder: Path, *words: str) -> tuple[int, str, str]:
    wanted = () if "--plan" in words else ("--yes",)
    done = chain.run("collec-migrations", "wrap", *words, *wanted, folder=folder)
    return done.returncode, done.stdout, done.stderr


def upgrade(folder: Path, address: Address, *words: str, **variables: str) -> tuple[int, str]:
    """Run `upgrade`; return its status and all that it says."""
    done = chain.run("collec-migrations", "upgrade", *words, "--url", address.url,
                     folder=folder, variables=variables)  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_wrap_tells_what_it_found(folder: Path) -> None:
    wrapping.write(folder / "install", {NAME: SCRIPT + "select 'of col';\n", "alter_27.sql": ""})
    status, out, err = wrap(folder, "install")
    assert status == 0, err
    assert out.splitlines() == [
        f"27.0: 3 statements of {NAME}, UTF-8",
        f"  install/{NAME}:1: \\c collec: left out, the run is connected already",
        f"  under other names of schemas it cannot run: install/{NAME}:4: the names of schemas"
        " cannot be bound: 'of col' holds the name of a schema",
    ]
    assert "alter_27.sql: not taken" in err
    assert "written to collec-versions" in err


def test_a_plan_writes_nothing_and_nothing_is_done_unasked(folder: Path) -> None:
    status, out, err = wrap(folder, "install", "--plan")
    assert (status, out.splitlines()[0]) == (0, f"27.0: 2 statements of {NAME}, UTF-8"), err
    done = chain.run("collec-migrations", "wrap", "install", folder=folder)
    assert (done.returncode, "Add --yes" in done.stderr) == (2, True)
    assert not (folder / "collec-versions").exists()


def test_wrap_again_finds_nothing_new_and_a_changed_script_exits_with_1(folder: Path) -> None:
    wrap(folder, "install")
    assert wrap(folder, "install") == (0, "", "wrapped before, unchanged: 27.0\nnothing new\n")
    wrapping.write(folder / "install", {NAME: "select 2;"})
    status, _, err = wrap(folder, "install")
    assert status == 1
    assert "27.0: the script is another than the one that was wrapped" in err


@pytest.mark.parametrize(
    ("name", "text", "status", "message"),
    [
        (NAME, "selct 1;", 3, f"install/{NAME}:1: syntax error"),
        (NAME, "vacuum;", 3, "it cannot run inside a transaction"),
        ("col_alter_27.0-27.1.sql", "select 1;", 2, f"a script from {HEAD} is missing"),
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
    chain.alembic("upgrade", "head", url=database.url, folder=folder)
    assert wrap(folder, "install")[0] == 0
    refused = chain.alembic("upgrade", "head", url=database.url, folder=folder)
    assert refused.returncode != 0
    assert "-x backup=no" in refused.stdout + refused.stderr
    words = ("-x", "backup=no", "upgrade", "head")
    upgraded = chain.alembic(*words, url=database.url, folder=folder)
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    assert chain.alembic("current", url=database.url, folder=folder).stdout == "27.0 (head)\n"
    refused = chain.alembic("downgrade", "-1", url=database.url, folder=folder)
    assert refused.returncode != 0
    assert "Restore the backup" in refused.stdout


def test_the_plan_says_what_is_unknown(database: Address, folder: Path) -> None:
    wrap(folder, "install")
    status, told = upgrade(folder, database, "--plan", "--details")
    assert status == 0, told
    assert f"27.0     upgrade by collec-versions/{NAME}: 2 statements" in told
    assert "\\c collec: left out" in told
    assert "rehearse` measures them" in told
    status, told = upgrade(folder, database, "--yes")
    assert (status, "installed at 27.0" in told) == (0, True), told


def test_a_verified_backup_is_taken_before_a_wrapped_step(
    database: Address, folder: Path, tmp_path: Path
) -> None:
    chain.upgrade(database)
    wrap(folder, "install")
    status, told = upgrade(folder, database, "--yes")
    assert (status, "there is no folder for a backup" in told) == (3, True), told
    backups = tmp_path / "backups"
    status, told = upgrade(folder, database, "--yes", COLLEC_BACKUP_DIR=str(backups))
    assert status == 0, told
    assert "verified " in told
    (verdict,) = backups.glob("*/verdict.json")
    query = "select note from col.migration_history order by migration_history_id desc limit 1"
    assert chain.query(database, query) == [(f"backup {verdict.parent.name}",)]


def test_a_backup_that_fails_stops_the_step(database: Address, folder: Path) -> None:
    chain.upgrade(database)
    wrap(folder, "install")
    (folder / "file").write_text("no folder")
    status, told = upgrade(folder, database, "--yes", "--backup", "file/backups")
    assert (status, "cannot be made a folder" in told) == (2, True), told
    assert chain.query(database, "select version_num from col.alembic_version") == [(HEAD,)]


def test_a_site_may_say_no(database: Address, folder: Path) -> None:
    chain.upgrade(database)
    wrap(folder, "install")
    status, told = upgrade(folder, database, "--yes", "--no-backup")
    assert status == 0, told
    query = "select note from col.migration_history order by migration_history_id desc limit 1"
    assert chain.query(database, query) == [("no backup was taken",)]


def test_upgrade_finds_the_applications_own_scripts(database: Address, site: Path) -> None:
    app = site / "application"
    wrapping.write(app / "install" / "pgsql", {NAME: "create table col.t (i int);"})
    wrapping.write(app / "param", {"param.inc.php": "<?php\n"})
    chain.upgrade(database)
    status, told = upgrade(site, database, "--plan", "--app", str(app))
    assert f"has a step to 27.0 that is no version yet: {NAME}" in told
    assert status == 0
    assert not wrapping.SITE.exists()
    status, told = upgrade(site, database, "--yes", "--no-backup", "--app", str(app))
    assert (status, f"upgraded from {HEAD} to 27.0" in told) == (0, True), told


def test_only_the_account_itself_may_write_what_was_wrapped(
    database: Address, folder: Path
) -> None:
    wrap(folder, "install")
    upgrade(folder, database, "--yes")
    modes = {path.name: path.stat().st_mode & 0o777 for path in wrapping.SITE.iterdir()
             if path.is_file()}  # fmt: skip
    assert set(modes) == {NAME, "v27_0.py", "27.0.json"}
    assert not any(mode & 0o022 for mode in modes.values())


def test_a_variable_of_psql_stands_beside_the_script(tmp_path: Path) -> None:
    name = f"upgrade-{chain.HEAD}-27.0.sql"
    (tmp_path / name).write_text("comment on table col.sample is :'title';\n")
    words = ("collec-migrations", "wrap", name, "--yes")
    lacking = chain.run(*words, folder=tmp_path)
    assert lacking.returncode == 3, lacking.stderr
    assert f"error: {name}:1: syntax error" in lacking.stderr
    done = chain.run(*words, "title=a = b", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (revision,) = (tmp_path / "collec-versions").glob("*.py")
    assert "'title': 'a = b'" in revision.read_text()
    missing = chain.run("collec-migrations", "wrap", "no-such.sql", "--plan", folder=tmp_path)
    assert (missing.returncode, "there is no no-such.sql" in missing.stderr) == (2, True)


def test_the_application_brings_its_scripts(folder: Path, site: Path) -> None:
    app = site / "app"
    wrapping.write(app / "install" / "pgsql", {NAME: SCRIPT})
    status, out, err = wrap(site, "--app", str(app))
    assert (status, out.splitlines()[0]) == (0, f"27.0: 2 statements of {NAME}, UTF-8"), err
    status, _, err = wrap(site, "--app", str(site / "none"))
    assert (status, "no script is named" in err) == (2, True)
