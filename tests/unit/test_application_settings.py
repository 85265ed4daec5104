"""The application's settings: what is written is what the application reads, and nothing else."""

import json
import shutil
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collec_migrations.errors import SettingsNotWritten
from collec_migrations.install import application
from collec_migrations.install.application import (
    comparison,
    dotenv,
    ini,
    php,
    settings,
)
from collec_migrations.install.application import (
    edit as editing,
)
from collec_migrations.install.application import (
    write as putting,
)
from collec_migrations.install.application.installation import Installation, dsn, schemas
from collec_migrations.install.application.settings import Form, Wanted

WANT = Wanted(
    host="db.lab.org", port="5433", database="lab", login="biology", col="bio", gacl="rights"
)
ODD = Wanted(
    host="localhost",
    port="5432",
    database="my 'base' of \\ it",
    login="O'Neil \\ $x",
    col='Bio "x",y',
    gacl="Ri ghts",
    rights_see_public=True,
)
PHP = """<?php
/* $BDD_login = "comment"; */
$BDD_login = "first"; // kept
$BDD_passwd = 'p#; w"//x';
$BDD_dsn = "pgsql:host=a;dbname=b"; $BDD_schema="x,y";
$BDD_login = 'old'; # the last one counts
$OTHER = "$BDD_login and more";
?>
"""
DOTENV = """# comment
export database.default.hostname = 'old' # kept
database.default.password = "p${x}"
database_default_username = old
app.baseURL=https://x.org
"""
# PHP and .env are text files: what a terminal cannot type is no name of anybody's.
names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1)


def write(folder: Path, **files: str) -> Path:
    """Write an installation of the application."""
    named = {
        "default": "param/param.default.inc.php",
        "site": "param/param.inc.php",
        "instances": "param.ini",
        "modern": "app/Config/App.php",
        "env": ".env",
    }
    for name, content in files.items():
        path = folder / named[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


@given(value=names, other=names)
def test_what_is_put_into_php_is_what_is_read(value: str, other: str) -> None:
    changed = editing.in_php(PHP, {"BDD_login": value, "NEW": other})
    found = php.assignments(changed)
    assert (found["BDD_login"], found["NEW"]) == (value, other)
    assert found["BDD_passwd"] == 'p#; w"//x'
    assert 'BDD_login = "first"; // kept' in changed
    assert changed.endswith("?>\n")
    assert editing.in_php(changed, {"BDD_login": value, "NEW": other}) == changed


@given(value=names, other=names)
def test_what_is_put_into_dotenv_is_what_is_read(value: str, other: str) -> None:
    value, other = value.strip() or "x", other.strip() or "x"
    values = {
        "database.default.hostname": value,
        "database.default.username": other,
        "database.default.database": value,
    }
    changed = editing.in_dotenv(DOTENV, values)
    found = dotenv.values(changed, {})
    assert {key: dotenv.get(found, {}, key) for key in values} == values
    assert "# kept" in changed
    assert 'database.default.password = "p${x}"\n' in changed
    assert changed.count("username") == 1
    assert editing.in_dotenv(changed, values) == changed


@pytest.mark.skipif(shutil.which("php") is None, reason="PHP is not installed")
def test_php_itself_reads_what_is_put(tmp_path: Path) -> None:
    values = settings.settings(ODD, Form.PHP)
    path = tmp_path / "param.inc.php"
    path.write_text(editing.in_php(PHP, values))
    told = f"include '{path}'; echo json_encode(compact({', '.join(map(repr, values))}));"
    done = subprocess.run(["php", "-r", told], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == values


def test_only_keys_that_the_ini_file_has_are_changed_there() -> None:
    text = "[lab]\nBDD_schema=old, public ; kept\nother=1\r\n"
    changed = editing.in_ini(text, {"BDD_schema": '"A b",gacl', "BDD_login": "x"})
    assert changed == "[lab]\nBDD_schema='\"A b\",gacl' ; kept\nother=1\r\n"
    assert schemas(ini.values(changed)["BDD_schema"]) == ("A b", "gacl")


def test_a_value_that_is_no_constant_is_overruled_at_the_end() -> None:
    changed = editing.in_php('<?php\n$BDD_dsn = "a" . $b;', {"BDD_dsn": "new"})
    assert changed == "<?php\n$BDD_dsn = \"a\" . $b;\n$BDD_dsn = 'new';\n"


@pytest.mark.parametrize("want", [WANT, ODD], ids=["plain", "odd"])
@pytest.mark.parametrize("form", Form)
def test_a_snippet_says_what_the_database_is_and_no_password(
    tmp_path: Path, want: Wanted, form: Form
) -> None:
    text = settings.snippet(want, form)
    if form is Form.DOTENV:
        write(tmp_path, modern='<?php\npublic string $dbversion = "25.0";', env=text)
    else:
        write(tmp_path, site=f"<?php\n{text}")
    found = application.read(tmp_path, {})
    assert found.connection == {"host": want.host, "port": want.port, "dbname": want.database}
    assert (found.login, found.password) == (want.login, settings.PASSWORD)
    assert found.search_path == want.search_path
    assert found.gacl == want.gacl
    assert not found.other_database
    rows = comparison.rows(found, want, recorded=["25.0"], observed="25.0")
    assert all(row.same for row in rows)


@pytest.mark.parametrize("form", Form)
def test_files_are_changed_after_a_copy_with_their_mode(tmp_path: Path, form: Form) -> None:
    if form is Form.DOTENV:
        write(tmp_path, modern='<?php\npublic string $dbversion = "25.0";', env=DOTENV)
    else:
        write(tmp_path, default="<?php\n$BDD_login='default';", site=PHP)
    path = tmp_path / form
    path.chmod(0o640)
    old = path.read_bytes()
    before = set(path.parent.iterdir())
    (edit,) = putting.edits(tmp_path, ODD, {})
    copy = putting.put(edit)
    assert copy is not None
    assert set(path.parent.iterdir()) - before == {copy}
    assert (copy.read_bytes(), stat.S_IMODE(copy.stat().st_mode)) == (old, 0o640)
    assert copy.suffix == path.suffix or form is Form.DOTENV, "a web server would show it"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    found = application.read(tmp_path, {})
    assert (found.login, found.search_path) == (ODD.login, ODD.search_path)
    assert found.password
    assert putting.edits(tmp_path, ODD, {}) == ()


def test_a_site_without_its_own_file_gets_one_that_others_may_not_read(tmp_path: Path) -> None:
    write(tmp_path, default="<?php\n$BDD_login='default';")
    (edit,) = putting.edits(tmp_path, WANT, {})
    assert putting.put(edit) is None
    assert edit.path.stat().st_mode & 0o007 == 0
    assert application.read(tmp_path, {}).login == WANT.login


def test_a_key_that_the_ini_file_rules_is_changed_there(tmp_path: Path) -> None:
    write(tmp_path, site=PHP, instances="BDD_schema=other,gacl\n")
    for edit in putting.edits(tmp_path, WANT, {}):
        putting.put(edit)
    found = application.read(tmp_path, {})
    assert (found.search_path, found.login) == (WANT.search_path, WANT.login)
    assert "BDD_login" not in (tmp_path / "param.ini").read_text()


@pytest.mark.parametrize(
    "site",
    [
        '$BDD_dsn = "pgsql:host=127.0.0.1;dbname=lab;sslmode=require";'
        '$GACL_dsn = $BDD_dsn; $GACL_dsn = "pgsql:host=127.0.0.1;dbname=lab;sslmode=require";',
        '$BDD_schema = "bio, public, rights";',
    ],
)
def test_what_says_the_same_in_another_way_stays(tmp_path: Path, site: str) -> None:
    here = replace(WANT, host="localhost", port="5432")
    rest = {
        key: value for key, value in settings.settings(here, Form.PHP).items() if key not in site
    }
    lines = "".join(f'${key} = "{value}"; // own\n' for key, value in rest.items())
    write(tmp_path, site=f"<?php\n{lines}{site}\n")
    assert putting.edits(tmp_path, here, {}) == ()
    (edit,) = putting.edits(tmp_path, replace(here, database="other"), {})
    putting.put(edit)
    found = application.read(tmp_path, {})
    assert found.connection["dbname"] == "other"
    assert found.connection.get("sslmode", "") == ("require" if "sslmode" in site else "")
    assert found.search_path in (here.search_path, ("bio", "public", "rights"))


def test_a_file_in_latin_1_stays_one(tmp_path: Path) -> None:
    write(tmp_path, default="<?php")
    path = tmp_path / Form.PHP
    path.write_bytes("<?php\n// é\n$BDD_login = 'old';\n".encode("latin-1"))
    (edit,) = putting.edits(tmp_path, WANT, {})
    putting.put(edit)
    assert "// é" in path.read_bytes().decode("latin-1")
    (edit,) = putting.edits(tmp_path, Wanted(host="h", port="1", database="d", login="λ",
                                             col="c", gacl="g"), {})  # fmt: skip
    before = path.read_bytes()
    with pytest.raises(SettingsNotWritten, match="Latin-1"):
        putting.put(edit)
    assert path.read_bytes() == before


SAID = Installation(
    connection={"host": "db.lab.org", "port": "5433", "dbname": "lab"},
    login="biology",
    password="x",
    search_path=("bio", "rights", "public"),
    gacl="rights",
    expected="1.1",
)


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"connection": {**SAID.connection, "host": "other"}}, "host"),
        ({"connection": {"host": "db.lab.org", "dbname": "lab"}}, "port"),
        ({"connection": {**SAID.connection, "dbname": "b"}}, "database"),
        ({"login": "postgres"}, "login"),
        ({"password": ""}, "password"),
        ({"search_path": ("rights", "bio", "public")}, "search path"),
        ({"search_path": ("bio", "public")}, "search path"),
        ({"gacl": "gacl"}, "rights schema"),
        ({"other_database": True}, "rights in"),
        ({"expected": "2.0"}, "version"),
    ],
)
def test_each_difference_is_told(changes: dict[str, object], setting: str) -> None:
    sound = list(comparison.rows(SAID, WANT, recorded=["1.0.8", "1.1"], observed="1.1"))
    assert all(row.same for row in sound)
    said = replace(SAID, **changes)  # type: ignore[arg-type]  # names of its fields
    rows = comparison.rows(said, WANT, recorded=["1.0.8", "1.1"], observed="1.1")
    assert [row.setting for row in rows if not row.same] == [setting]


def test_dsn_values_in_quotes_are_read() -> None:
    assert dsn(r"pgsql:host=h;dbname='my ''b\' x; y'".replace("''", "")) == {
        "host": "h", "dbname": "my b' x; y"
    }  # fmt: skip
