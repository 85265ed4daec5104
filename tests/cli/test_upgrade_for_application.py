"""`upgrade --app`: to the version that the application asks for, with what its settings hold."""

from pathlib import Path

import pytest

from collec_migrations.postgres.address import Address
from tests import chain
from tests.conftest import Clone
from tests.servers import Server

PARAMETERS = (
    "select dbparam_name::text, dbparam_value::text from col.dbparam"
    " where dbparam_name in ('APPLI_code', 'APPLI_title') order by 1"
)


@pytest.fixture
def old(server18: Server, clone: Clone) -> Address:
    """Return a database at 1.1."""
    return clone(chain.template_at(server18, "1.1"))


def application(folder: Path, address: Address, asks_for: str, more: str = "") -> Path:
    """Write the settings of an application that uses this database; return its folder."""
    (folder / "app" / "param").mkdir(parents=True, exist_ok=True)
    (folder / "app" / "param" / "param.inc.php").write_text(
        f"<?php\n$APPLI_dbversion = '{asks_for}';\n$BDD_login = '{address.user}';\n"
        f"$BDD_dsn = 'pgsql:host={address.host};port={address.port};dbname={address.dbname}';\n"
        f"$BDD_schema = 'col,gacl,public';\n$GACL_schema = 'gacl';\n{more}"
    )
    return folder / "app"


def upgrade(app: Path, *words: str) -> tuple[int, str]:
    """Run `upgrade`; return its status and all that it says."""
    done = chain.run("collec-migrations", "upgrade", *words, "--app", str(app), folder=app.parent)
    return done.returncode, done.stdout + done.stderr


def test_it_goes_to_what_the_application_asks_for_and_fills_its_parameters(
    old: Address, tmp_path: Path
) -> None:
    more = "$APPLI_code = 'it''s';\n$APPLI_titre = 'Our lab';\n".replace("''", "\\'")
    app = application(tmp_path, old, "2.2", more)
    status, told = upgrade(app, "--plan")
    assert (status, "asks for 2.2" in told, "will be empty" in told) == (0, True, False), told
    status, told = upgrade(app, "--yes")
    assert (status, "upgraded from 1.1 to 2.2" in told) == (0, True), told
    assert chain.query(old, PARAMETERS) == [("APPLI_code", "it's"), ("APPLI_title", "Our lab")]
    status, told = upgrade(app, "--yes")
    assert (status, "nothing to do, it is at 2.2" in told) == (0, True), told


def test_alembic_takes_head_for_what_the_application_asks_for(old: Address, tmp_path: Path) -> None:
    app = application(tmp_path, old, "1.2.3")
    chain.run("collec-migrations", "init", folder=tmp_path)
    done = chain.run("alembic", "-x", f"app={app}", "upgrade", "head", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert chain.query(old, "select version_num from col.alembic_version") == [("1.2.3",)]


def test_without_it_the_plan_and_the_end_say_what_is_empty(old: Address, tmp_path: Path) -> None:
    variables = {"COLLEC_DATABASE_URL": old.url}
    for words in (("upgrade", "2.1", "--plan"), ("upgrade", "2.1", "--yes")):
        done = chain.run("collec-migrations", *words, folder=tmp_path, variables=variables)
        told = done.stdout + done.stderr
        assert done.returncode == 0, told
        for name in ("APPLI_code", "APPLI_title"):
            assert name in told
        assert "labels printed before this upgrade are no longer found" in told
    assert "update col.dbparam set dbparam_value = 'VALUE'" in told.replace('"', "")
    assert chain.query(old, PARAMETERS) == [("APPLI_code", None), ("APPLI_title", None)]


@pytest.mark.parametrize(
    ("asks_for", "words", "advice"),
    [
        ("1.0.8", (), "collec-migrations downgrade 1.0.8 --app"),
        ("99.0", (), "collec-migrations wrap"),
        ("2.0", ("1.1",), "collec-migrations upgrade 2.0 --app"),
    ],
    ids=["older than the database", "newer than the chain", "newer than what was named"],
)
@pytest.mark.parametrize("how", ["--plan", "--yes"])
def test_nothing_to_do_is_not_said_while_it_asks_for_another(
    old: Address, tmp_path: Path, asks_for: str, words: tuple[str, ...], advice: str, how: str
) -> None:
    app = application(tmp_path, old, asks_for)
    status, told = upgrade(app, *words, how)
    assert status in (2, 3), told
    assert advice in told
    assert "nothing to do" not in told
    assert chain.query(old, "select version_num from col.alembic_version") == [("1.1",)]
