"""Passwords: what a server keeps really lets in, and no log holds one in clear text."""

import os
import stat
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg2 import sql
from psycopg2.extensions import make_dsn

from collec_migrations.errors import PassfileError, UsageError
from collec_migrations.postgres import password
from collec_migrations.postgres.password import PassfileEntry, Password, verifier
from tests.sites import Site

HARD = {
    "quotes": """it's "quoted" '' \"\" $q$""",
    "backslashes": r"back\slash\\ \' \n \:",
    "percent": "100%s %(x)s %% %",
    "spaces": "  two words  ",
    "unicode": "pâsse-mót ☃ Ⅸ ¼ ª 水",
    "nonspacing": "soft\u00adhyphen\u00a0space",
    "colons": "a:b::c",
}


@pytest.mark.parametrize("text", HARD.values(), ids=HARD)
def test_a_verifier_lets_its_password_in_and_nothing_in_the_log(
    site_server: Site, text: str, tmp_path: Path
) -> None:
    role = f"login_{abs(hash(text)) % 10**8}"
    secret = Password.parse(text, source="a test")
    file = tmp_path / "passfile"
    password.write_passfile(file, [PassfileEntry(host="127.0.0.1", user=role, password=secret)])
    with site_server.admin() as session, session.cursor() as cursor:
        kept = verifier(session, role, secret)
        assert kept.startswith("SCRAM-SHA-256$")
        name = sql.Identifier(role)
        cursor.execute(sql.SQL("create role {} login password {}").format(name, sql.Literal(kept)))
        try:
            for words in ({"password": text}, {"passfile": str(file)}):
                dsn = make_dsn("", host="127.0.0.1", port=site_server.port, user=role,
                               dbname="postgres", **words)  # fmt: skip
                with closing(psycopg2.connect(dsn)) as entered:
                    assert entered.info.user == role
            with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
                psycopg2.connect(site_server.tcp(role, f"{text}x", "postgres"))
        finally:
            cursor.execute(sql.SQL("drop role {}").format(name))
    assert text.strip() not in site_server.log


def test_a_password_shows_itself_nowhere() -> None:
    secret = Password.parse("h1dden", source="a test")
    entry = PassfileEntry(host="h", user="u", password=secret)
    for shown in (repr(secret), str(secret), f"{secret}", repr(entry), repr([secret])):
        assert "h1dden" not in shown
    assert secret.clear == "h1dden"


@pytest.mark.parametrize("text", ["", "a\nb", "a\0b", "a\rb"], ids=["empty", "lf", "nul", "cr"])
def test_a_password_that_cannot_be_kept_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        password.from_environment("X", {"X": text})
    assert not text or text not in str(caught.value)


def test_generated_passwords_differ_and_need_no_quotes() -> None:
    made = {password.generated().clear for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) >= 32 and one.isascii() for one in made)
    assert not any(character in one for one in made for character in " '\"\\:%@/")


def test_the_terminal_is_asked_twice() -> None:
    answers = iter(["one", "one", "one", "other", ""])
    ask = lambda _: next(answers)  # noqa: E731
    assert password.from_terminal("Password", ask=ask) == Password("one")
    with pytest.raises(UsageError, match="not the same"):
        password.from_terminal("Password", ask=ask)
    assert password.from_terminal("Password", ask=ask) is None


def entry(
    text: str, *, host: str = "localhost", database: str = "*", user: str = "u"
) -> PassfileEntry:
    return PassfileEntry(host=host, database=database, user=user, password=Password(text))


def test_the_file_is_private_whatever_the_umask_and_the_former_mode(tmp_path: Path) -> None:
    file = tmp_path / ".pgpass"
    before = os.umask(0)
    try:
        assert password.write_passfile(file, [entry("one")])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.chmod(0o640)
        assert password.write_passfile(file, [entry("one")])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == [".pgpass"]


def test_other_entries_stay_and_ours_wins(tmp_path: Path) -> None:
    file = tmp_path / ".pgpass"
    others = "# mine\n*:*:*:*:everybody\nlocalhost:*:*:u:old\nelsewhere:1:d\\:b:u:a\\\\b"
    file.write_text(others)
    file.chmod(0o600)
    assert password.write_passfile(file, [entry("new"), entry("two", database="a:b")])
    text = file.read_text()
    assert "# mine\n*:*:*:*:everybody\n" in text
    assert text.endswith("elsewhere:1:d\\:b:u:a\\\\b")
    assert "old" not in text
    assert password.lookup_password(text, ("localhost", "5432", "x", "u")) == "new"
    assert password.lookup_password(text, ("elsewhere", "1", "d:b", "u")) == "everybody"
    assert not password.write_passfile(file, [entry("new"), entry("two", database="a:b")])
    assert file.read_text() == text


WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\x85"),
    min_size=1,
)


@given(WORDS, WORDS.filter(lambda text: text != "*" and not text.startswith("#")))
def test_any_password_and_any_name_come_back(text: str, name: str) -> None:
    one = entry(text, host=name, database=name)
    assert password.lookup_password(f"{one.line}\n", one.key) == text


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PassfileError, match="no such file"):
        password.write_passfile(tmp_path / "missing" / "file", [entry("h1dden")])
