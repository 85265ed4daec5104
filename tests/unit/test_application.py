"""What the application's files say: every format, and what is wrong with files."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from collec_migrations import application
from collec_migrations.application import dsn, schemas
from collec_migrations.errors import UsageError

LAYER = "param/param.default.inc.php"
DEFAULTS = """<?php
$APPLI_version = "1.1.0b";
$APPLI_dbversion = "1.1"; // what the code needs
$APPLI_code = 'cs';
$BDD_login = "collec";
$BDD_passwd = "collecPassword";
$BDD_dsn = "pgsql:host=localhost;dbname=collec";
$BDD_schema = "col,gacl,public";
$GACL_dblogin = "collec";
$GACL_dsn = "pgsql:host=localhost;dbname=collec";
$GACL_schema = "gacl,public";
$GACL_aco = "col";
"""
SITE = """<?php
# the site's own values
$BDD_login='lab';
$BDD_passwd = 'p#; w"//x';
//$BDD_schema = "wrong,gacl";
/* $BDD_schema = "wrong,gacl";
   $APPLI_dbversion = "0.1"; */
$BDD_schema   =   "first,gacl";
$BDD_dsn = "pgsq:host=db.lab.org;dbname=lab;port=5433";
$GACL_dsn = $BDD_dsn;
$GACL_dsn = "pgsql:host=db.lab.org;dbname=lab;port=5433";
$BDD_schema = "lab_a,public,gacl"; # the last one counts
?>
"""


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder, and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_the_defaults_alone_are_enough(tmp_path: Path) -> None:
    found = application.read(write(tmp_path, {"param/param.default.inc.php": DEFAULTS}), {})
    assert (found.expected, found.release, found.code, found.instance) == (
        "1.1", "1.1.0b", "col", "cs")  # fmt: skip
    assert found.parameters == {"host": "localhost", "dbname": "collec", "user": "collec",
                                "password": "collecPassword"}  # fmt: skip
    assert (found.gacl, found.col, found.other_database) == ("gacl", ("col",), False)


def test_the_sites_values_win_and_comments_are_not_read(tmp_path: Path) -> None:
    files = {"param/param.default.inc.php": DEFAULTS, "param/param.inc.php": SITE}
    found = application.read(write(tmp_path, files), {})
    assert found.expected == "1.1"
    assert found.parameters == {"host": "db.lab.org", "dbname": "lab", "port": "5433",
                                "user": "lab", "password": 'p#; w"//x'}  # fmt: skip
    assert found.col == ("lab_a",)
    assert not found.other_database


def test_a_value_may_be_that_of_another_one(tmp_path: Path) -> None:
    site = "<?php\n$BDD_login = 'lab';\n$GACL_dblogin = $BDD_login;\n$GACL_dsn = $unknown;\n"
    files = {"param/param.default.inc.php": DEFAULTS, "param/param.inc.php": site}
    found = application.read(write(tmp_path, files), {})
    assert (found.login, found.rights_login, found.other_database) == ("lab", "lab", False)


def test_the_ini_file_of_an_instance_wins_over_both(tmp_path: Path) -> None:
    third = '; instance\n[section]\nBDD_schema=lab_b, public, gacl\nBDD_login="b" ; who\n'
    files = {"param/param.default.inc.php": DEFAULTS, "param/param.inc.php": SITE,
             "param.ini": third}  # fmt: skip
    found = application.read(write(tmp_path, files), {})
    assert (found.col, found.login, found.files[-1]) == (("lab_b",), "b", "param.ini")


def test_the_ini_file_may_stand_elsewhere(tmp_path: Path) -> None:
    other = write(tmp_path / "hosts", {"one.ini": "BDD_schema=lab_c,gacl\n"})
    named = f'{DEFAULTS}\n$paramIniFile = "{other}/one.ini";\n'
    found = application.read(write(tmp_path / "www", {"param/param.default.inc.php": named}), {})
    assert found.col == ("lab_c",)


INSTANCES = [
    '$chemin = substr($_SERVER["DOCUMENT_ROOT"], 0, strpos($_SERVER["DOCUMENT_ROOT"], "/bin"));\n'
    '$paramIniFile = "$chemin/param.ini";',
    "$paramIniFile = './param.ini'; // first\n$paramIniFile = dirname(__FILE__) . '/param.ini';",
]


@pytest.mark.parametrize("expression", INSTANCES)
@pytest.mark.parametrize("named", ["lab_c", "lab_c/bin"])
def test_an_instance_is_told_by_its_own_folder(tmp_path: Path, expression: str, named: str) -> None:
    site = f"<?php\n{expression}\n"
    write(tmp_path / "code", {LAYER: DEFAULTS, "param/param.inc.php": site})
    for name in ("lab_b", "lab_c"):
        write(tmp_path / name, {"param.ini": f"BDD_schema={name},gacl\n"})
        (tmp_path / name / "bin").symlink_to(tmp_path / "code")
    assert application.read(tmp_path / named, {}).col == ("lab_c",)
    with pytest.raises(UsageError, match="shared by several instances") as caught:
        application.read(tmp_path / "code", {})
    assert "param.ini and `bin`" in caught.value.hint


def test_the_one_application_of_a_machine_is_found_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "www" / "collec", {LAYER: DEFAULTS})
    (tmp_path / "www" / "same").symlink_to(folder)
    (tmp_path / "www" / "blog").mkdir()
    places = (str(tmp_path / "none"), str(tmp_path / "www"))
    assert application.installed(places) == (folder,)


def test_rights_in_another_database_are_noticed(tmp_path: Path) -> None:
    site = '<?php $GACL_dsn = "pgsql:host=localhost;dbname=rights";'
    files = {"param/param.default.inc.php": DEFAULTS, "param/param.inc.php": site}
    assert application.read(write(tmp_path, files), {}).other_database


APP = """<?php
namespace Config;
class App extends BaseConfig {
    public string $version = "v25.0.5";
    /** public string $dbversion = "1.0"; */
    public string $dbversion = "25.0";
}
"""
ENV = """
# CI_ENVIRONMENT = production
database.default.hostname = db.lab.org  # the server
export database_default_database = "lab #1"
database.default.username = 'lab'
database.default.password = "${SECRET}x"
database.default.port=5433
database.default.searchpath = wrong,gacl
database.default.searchpath = lab_a,gacl,public
SECRET = late
"""


def test_a_modern_release_says_it_in_two_files(tmp_path: Path) -> None:
    files = {"app/Config/App.php": APP, ".env": ENV}
    found = application.read(write(tmp_path, files), {"SECRET": "s3"})
    assert (found.expected, found.release) == ("25.0", "v25.0.5")
    assert found.parameters == {"host": "db.lab.org", "dbname": "lab #1", "port": "5433",
                                "user": "lab", "password": "s3x"}  # fmt: skip
    assert (found.gacl, found.col) == ("gacl", ("lab_a",))


@pytest.mark.parametrize("name", ["database.default.username", "database_default_username"])
def test_the_environment_of_the_process_wins(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path, {"app/Config/App.php": APP, ".env": ENV})
    assert application.read(folder, {name: "other"}).login == "other"


def test_a_dotenv_outside_of_the_tree_is_read(tmp_path: Path) -> None:
    paths = f"<?php class Paths {{ public string $envDirectory = '{tmp_path}/etc'; }}"
    files = {"app/Config/App.php": APP, "app/Config/Paths.php": paths, ".env": "wrong"}
    write(tmp_path / "etc", {".env": ENV})
    assert application.read(write(tmp_path / "www", files), {}).login == "lab"


def test_a_modern_release_without_env_says_its_version(tmp_path: Path) -> None:
    assert application.read(write(tmp_path, {"app/Config/App.php": APP}), {}).expected == "25.0"


def test_a_file_in_latin_1_is_read(tmp_path: Path) -> None:
    text = '<?php // r\xe9glages\n$APPLI_dbversion = "1.1";\n$APPLI_code = "\xe9t\xe9";'
    folder = write(tmp_path, {"param/param.inc.php": text.encode("latin-1")})
    assert application.read(folder, {}).instance == "\xe9t\xe9"


def test_a_broken_file_gives_what_can_be_read(tmp_path: Path) -> None:
    text = '<?php $APPLI_dbversion = "1.1"; if ( { $BDD_login = ; $x = "never closed;'
    found = application.read(write(tmp_path, {"param/param.inc.php": text}), {})
    assert (found.expected, found.login) == ("1.1", "")


def test_a_file_is_never_executed(tmp_path: Path) -> None:
    text = '<?php $APPLI_dbversion = system("touch executed"); $BDD_login = "a" . "b";'
    found = application.read(write(tmp_path, {"param/param.inc.php": text}), {})
    assert (found.expected, found.login) == ("", "")
    assert not Path("executed").exists()


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no files of the application"):
        application.read(tmp_path, {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path, {"param/param.inc.php": "<?php"})
    (folder / "param/param.inc.php").chmod(0)
    with pytest.raises(UsageError, match=r"cannot read .*Permission denied"):
        application.read(folder, {})


def test_a_folder_in_the_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "param/param.inc.php").mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot read"):
        application.read(tmp_path, {})


def test_the_password_is_not_shown(tmp_path: Path) -> None:
    found = application.read(write(tmp_path, {"param/param.default.inc.php": DEFAULTS}), {})
    assert "collecPassword" not in repr(found).replace(repr(found.parameters), "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A='x';", {"A": "x"}),
        ('$A = "x"; $A = "y";', {"A": "y"}),
        ("$A = 'it\\'s';", {"A": "it's"}),
        ('$A = "a\\"b\\\\";', {"A": 'a"b\\'}),
        ("$A = 'x' // c\n;", {"A": "x"}),
        ("// $A = 'x';\r\n$B = 'y';", {"B": "y"}),
        ("#[Attribute]\n$B = 'y';", {"B": "y"}),
        ("$A = 'x'; ?> $B", {"A": "x"}),
        ("$B = 'p'; $A = \"$B/q\";", {"B": "p", "A": "p/q"}),
        ("$A == 'x';", {}),
        ("$A['k'] = 'x';", {}),
        ("$A = 12;", {"A": "12"}),
    ],
)
def test_assignments(text: str, expected: dict[str, str]) -> None:
    assert application.assignments(text) == expected


def test_ini_values() -> None:
    text = "a=1\nb = \"x;y\" ; c\n;c=2\nd='e'\nnothing\na=2 ; last\n"
    assert application.ini_values(text) == {"a": "2", "b": "x;y", "d": "e"}


def test_dotenv_values() -> None:
    text = "A=1\nB='${A}'\nC=${A}-${NONE}\nD=\"x # y\"\nE=x#y # z\n #F=1\nG=#empty\n"
    assert application.dotenv_values(text, {}) == {
        "A": "1", "B": "${A}", "C": "1-${NONE}", "D": "x # y", "E": "x#y", "G": ""}  # fmt: skip


def test_dsn_and_schemas() -> None:
    assert dsn("pgsq:host = h ;dbname=d;port=") == {"host": "h", "dbname": "d"}
    assert schemas(' Col , "Lab A",gacl,,"o""k" ') == ("col", "Lab A", "gacl", 'o"k')
