"""`collec-migrations app-config`: a ready snippet, each difference, and what is written."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collec_migrations import application
from collec_migrations.cli import main
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from tests import chain
from tests.servers import SUPERUSER, Server

SECRET = "xyzzy-9-plugh"
DEFAULTS = '<?php\n$APPLI_dbversion = "1.1";\n$BDD_login = "collec";\n'
SITE = """<?php
$BDD_login = 'old'; // kept
$BDD_passwd = "{secret}";
$BDD_dsn = "pgsql:host=localhost;dbname=old";
$BDD_schema = "wrong,gacl,public";
$GACL_dsn = "pgsql:host=localhost;dbname=old";
$GACL_schema = "gacl";
"""


@pytest.fixture(scope="module")
def installed(server18: Server) -> Iterator[Address]:
    """Return a database at 1.1; nothing is changed in it."""
    with server18.database(chain.template_at(server18, "1.1")) as address:
        yield address


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return the folder of an application that is set up for another database."""
    folder = tmp_path / "param"
    folder.mkdir()
    (folder / "param.default.inc.php").write_text(DEFAULTS)
    (folder / "param.inc.php").write_text(SITE.replace("{secret}", SECRET))
    return tmp_path


def run(url: str, *words: str) -> Result:
    """Run the command; nothing it prints may hold the password."""
    done = CliRunner().invoke(main.app, ["app-config", "--url", url, *words])
    assert SECRET not in done.output
    return done


def test_the_snippet_is_what_the_application_reads(installed: Address, tmp_path: Path) -> None:
    done = run(installed.url)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("// ")
    (tmp_path / "param").mkdir()
    (tmp_path / "param" / "param.inc.php").write_text(f"<?php\n{done.stdout}")
    found = application.read(tmp_path, {})
    assert found.connection["dbname"] == installed.dbname
    assert found.connection["port"] == str(installed.port)
    assert found.search_path == ("col", "gacl", "public")
    assert (found.login, found.password) == (SUPERUSER, "PASSWORD")


def test_any_names_and_hosts(server18: Server) -> None:
    names = Names(gacl="Ri ghts", col='lab "x"')
    with server18.database() as address:
        chain.upgrade(address, "1.1", **chain.under(names))
        done = run(address.url, "--json")
    facts = json.loads(done.stdout)
    assert facts["settings"]["BDD_schema"] == '"lab ""x""","Ri ghts",public'
    assert facts["settings"]["BDD_dsn"].startswith("pgsql:host=localhost;port=")
    assert facts["settings"]["BDD_login"] == SUPERUSER


def paste(installed: Address, app: Path) -> None:
    """Put the printed lines into the site's file, as its administrator would."""
    site = app / "param" / "param.inc.php"
    site.write_text(site.read_text() + run(installed.url).stdout.replace("PASSWORD", SECRET))


def check(url: str, app: Path, *words: str) -> Result:
    return run(url, "--app", str(app), "--check", *words)


def test_differences_are_told_and_gone_after_pasting(installed: Address, app: Path) -> None:
    told = check(installed.url, app)
    assert told.exit_code == 1, told.output
    for setting, said in (("database", "old"), ("login", "old"), ("search path", "wrong,gacl")):
        (line,) = [line for line in told.stdout.splitlines() if line.startswith(setting)]
        assert said in line
        assert line.endswith("differs")
    paste(installed, app)
    again = check(installed.url, app, "--json")
    assert json.loads(again.stdout)["settings"][-1]["setting"] == "connects"
    differ = [one["setting"] for one in json.loads(again.stdout)["settings"] if not one["same"]]
    # The test server is reached by its socket alone: `localhost` is nothing that listens.
    assert differ == ["connects"]
    site = app / "param" / "param.inc.php"
    site.write_text(site.read_text().replace("host=localhost", f"host={installed.host}"))
    assert check(installed.url, app).exit_code == 0


def test_a_placeholder_is_no_password(installed: Address, app: Path) -> None:
    site = app / "param" / "param.inc.php"
    site.write_text(f"<?php\n{run(installed.url).stdout}")
    told = check(installed.url, app)
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("password")]
    assert line.split() == ["password", "placeholder", "needed", "differs"]


def test_the_account_for_the_rights_is_compared_too(installed: Address, app: Path) -> None:
    paste(installed, app)
    with (app / "param" / "param.inc.php").open("a") as file:
        file.write("$GACL_dblogin = 'userGACL';\n$GACL_dbpasswd = 'first';\n")
    told = check(installed.url, app)
    assert told.exit_code == 1
    assert ["rights", "login", "userGACL", SUPERUSER, "differs"] in [
        line.split() for line in told.stdout.splitlines()
    ]


def test_a_release_for_another_version_differs(installed: Address, app: Path) -> None:
    paste(installed, app)
    default = app / "param" / "param.default.inc.php"
    default.write_text(DEFAULTS.replace("1.1", "2.0"))
    told = check(installed.url, app)
    assert told.exit_code == 1
    assert ["version", "2.0", "1.1", "differs"] in [
        line.split() for line in told.stdout.splitlines()
    ]


def test_the_lines_are_those_of_the_release(installed: Address, tmp_path: Path) -> None:
    config = tmp_path / "app" / "Config"
    config.mkdir(parents=True)
    (config / "App.php").write_text('<?php\npublic string $dbversion = "25.0";\n')
    (tmp_path / ".env").write_text("")
    told = run(installed.url, "--app", str(tmp_path))
    assert told.exit_code == 0
    assert told.stdout.startswith("# "), "a comment in an .env file"
    assert "database.default.searchpath = col,gacl,public" in told.stdout


def test_mistakes_are_one_clear_line(installed: Address, tmp_path: Path) -> None:
    assert run(installed.url, "--check").exit_code == 2
    assert run(installed.url, "--app", str(tmp_path)).exit_code == 2
    assert run(replace(installed, dbname="no such one").url).exit_code == 3


def test_a_name_is_never_guessed(server18: Server) -> None:
    with server18.database() as address:
        chain.upgrade(address, "1.1", gacl="rights", col="lab_a")
        alone = run(address.url, "--col", "lab_a", "--json")
        assert json.loads(alone.stdout)["settings"]["GACL_schema"] == "rights"
        missing = run(address.url, "--col", "no_such")
        assert missing.exit_code == 2
        assert "lab_a (rights: rights)" in missing.output


def test_of_several_data_schemas_one_has_to_be_named(server18: Server, app: Path) -> None:
    with server18.database() as address:
        chain.upgrade(address, "1.1", col="lab_a,lab_b")
        assert run(address.url).exit_code == 2
        named = run(address.url, "--col", "lab_b", "--json")
        assert json.loads(named.stdout)["settings"]["BDD_schema"] == "lab_b,gacl,public"
        site = app / "param" / "param.inc.php"
        site.write_text(site.read_text().replace("wrong,", "lab_a,"))
        told = check(address.url, app, "--json")
        (path,) = [one for one in json.loads(told.stdout)["settings"]
                   if one["setting"] == "search path"]  # fmt: skip
        assert path["same"]


def test_a_file_that_may_not_be_read(installed: Address, tmp_path: Path) -> None:
    (tmp_path / "param" / "param.inc.php").mkdir(parents=True)
    done = check(installed.url, tmp_path)
    assert done.exit_code == 2
    assert "Traceback" not in done.output
