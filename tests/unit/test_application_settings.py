"""The application's settings: what is written is what the application reads, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collec_migrations import application
from collec_migrations.application import Form, Installation, dsn
from collec_migrations.install import application_check, application_settings
from collec_migrations.install.application_settings import Wanted

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


@given(value=names)
@pytest.mark.parametrize("form", Form)
def test_what_is_printed_is_what_is_read(form: Form, value: str) -> None:
    value = value.strip() or "x"
    line = application_settings.line("database.default.username", value, form)
    if form is Form.DOTENV:
        found = application.dotenv_values(line, {})["database.default.username"]
    else:
        found = application.assignments(f"<?php {line.replace('.', '_', 2)}")[
            "database_default_username"
        ]
    assert found.strip() == value


def test_a_quoted_name_that_begins_a_value_has_a_blank_before_it() -> None:
    """CodeIgniter would take the quotes of the name off."""
    settings = application_settings.settings(ODD, Form.DOTENV)
    line = application_settings.line("x", settings["database.default.searchpath"], Form.DOTENV)
    assert line == """x = ' "Bio ""x"",y","Ri ghts",public'"""


@pytest.mark.parametrize("want", [WANT, ODD], ids=["plain", "odd"])
@pytest.mark.parametrize("form", Form)
def test_a_snippet_says_what_the_database_is_and_no_password(
    tmp_path: Path, want: Wanted, form: Form
) -> None:
    text = application_settings.snippet(want, form)
    if form is Form.DOTENV:
        write(tmp_path, modern='<?php\npublic string $dbversion = "25.0";', env=text)
    else:
        write(tmp_path, site=f"<?php\n{text}")
    found = application.read(tmp_path, {})
    assert found.connection == {"host": want.host, "port": want.port, "dbname": want.database}
    assert (found.login, found.password) == (want.login, application_settings.PASSWORD)
    assert found.search_path == want.search_path
    assert found.gacl == want.gacl
    assert not found.other_database
    rows = application_check.rows(found, want, recorded=["25.0"], observed="25.0")
    assert [row.setting for row in rows if not row.same] == ["password"]


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
        ({"password": application_settings.PASSWORD}, "password"),
        ({"search_path": ("rights", "bio", "public")}, "search path"),
        ({"search_path": ("bio", "public")}, "search path"),
        ({"gacl": "gacl"}, "rights schema"),
        ({"other_database": True}, "rights in"),
        ({"expected": "2.0"}, "version"),
    ],
)
def test_each_difference_is_told(changes: dict[str, object], setting: str) -> None:
    sound = list(application_check.rows(SAID, WANT, recorded=["1.0.8", "1.1"], observed="1.1"))
    assert all(row.same for row in sound)
    said = replace(SAID, **changes)  # type: ignore[arg-type]  # names of its fields
    rows = application_check.rows(said, WANT, recorded=["1.0.8", "1.1"], observed="1.1")
    assert [row.setting for row in rows if not row.same] == [setting]


def test_dsn_values_in_quotes_are_read() -> None:
    assert dsn(r"pgsql:host=h;dbname='my ''b\' x; y'".replace("''", "")) == {
        "host": "h", "dbname": "my b' x; y"
    }  # fmt: skip
