"""Scripts as they are found: encodings, psql's own commands, what cannot run inside a run."""

import os
import time
from pathlib import Path

import pytest

from collec_migrations.errors import ScriptRefused, ScriptUnreadable
from collec_migrations.wrap import Script, read_script
from collec_migrations.wrap.encoding import LATIN_1, UTF_8, WINDOWS_1252, decode
from tests import wrapping

NAME = "upgrade-1.1-27.0.sql"


def read(text: str | bytes, folder: Path, **variables: str) -> Script:
    (path,) = wrapping.write(folder, {NAME: text})
    return read_script([path], variables)


def statements(script: Script) -> list[tuple[int, str]]:
    return [(one.line, one.text) for part in script.parts for one in part.statements]


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        ("select 'é€';".encode(), "select 'é€';", UTF_8),
        ("\ufeffselect 'é';".encode(), "select 'é';", UTF_8),
        ("select 'é';".encode("latin-1"), "select 'é';", LATIN_1),
        ("select 'œ€’';".encode("cp1252"), "select 'œ€’';", WINDOWS_1252),
        (b"", "", UTF_8),
    ],
)
def test_the_encoding_is_told(data: bytes, text: str, encoding: str) -> None:
    assert decode(data, "a.sql") == (text, encoding)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("-- é\nselect '".encode() + b"\xe9';", "a.sql:2: byte 0xe9 is not UTF-8"),
        ("-- é\n-- è\n-- ".encode() + b"\x92", "a.sql:3: byte 0x92 is not UTF-8"),
        (b"select 1;\n-- \x81", "a.sql:2: byte 0x81 is not UTF-8"),
        ("select 1;".encode("utf-16"), "a.sql: it holds null characters"),
    ],
)
def test_a_file_in_two_encodings_is_refused_with_line_and_byte(data: bytes, message: str) -> None:
    with pytest.raises(ScriptUnreadable) as caught:
        decode(data, "a.sql")
    assert str(caught.value).startswith(message)
    assert caught.value.hint


def test_an_encoding_of_single_bytes_is_noted(tmp_path: Path) -> None:
    (note,) = read("select 'œ';".encode("cp1252"), tmp_path).notes
    assert note == f"{tmp_path.name}/{NAME}: it is read as Windows-1252"


LEFT_OUT = [
    *(r"\c collec", r"\connect collec", r"\echo a", r"\set ON_ERROR_STOP on", r"\timing", r"\d a"),
    *("begin;", "start transaction;", "commit;", "end;", "set client_encoding = 'UTF8';"),
    *("set names 'latin1';", r"\encoding UTF8", r"\pset pager off", r"\restrict Abc1"),
    r"\unrestrict Abc1",
]


@pytest.mark.parametrize("text", LEFT_OUT)
def test_what_is_harmless_is_left_out_and_told(text: str, tmp_path: Path) -> None:
    script = read(f"select 1;\n{text}\r\nselect 2;", tmp_path)
    assert statements(script) == [(1, "select 1"), (3, "select 2")]
    (note,) = script.notes
    assert note.startswith(f"{tmp_path.name}/{NAME}:2: ")
    (part,) = script.parts
    assert part.sql.splitlines()[0] == "select 1;"
    assert part.sql.count("\n") == 2
    assert "set names" not in part.sql


REFUSED = [
    *(r"\copy a from 'b'", r"\gexec", r"\! ls", r"\o f", r"\lo_import f", r"\if true", r"\q"),
    *("create database x;", "drop database x;", "create user x;", "alter role x login;"),
    *("rollback;", "savepoint a;", "prepare transaction 'a';", "vacuum;", "discard all;"),
    *("create index concurrently i on a (b);", "drop index concurrently i;", "cluster;"),
    *("reindex database x;", "alter system set jit = off;", "create tablespace a location '/b';"),
    *("copy a from stdin;\n1\n\\.", "copy a (b) from stdin;\n1 x\n\\.", "copy a from stdin;"),
    *("copy a from program 'ls';", "copy a to program 'ls';", "copy (select 1) to '/tmp/a';"),
    *("copy a from '/tmp/a';", "copy a from e'/tmp/a';", "select pg_read_file('/etc/passwd');"),
    *("insert into a select pg_ls_dir('/');", "select lo_import('/etc/passwd');"),
    *("do $$ begin execute $x$ copy a to program 'ls' $x$; end $$;", "load 'a';"),
    *("set role postgres;", "set session authorization x;", "reset role;"),
    *("select set_config('role', 'postgres', false);", "do $$ begin reset role; end $$;"),
    *("set transaction isolation level serializable;", "set standard_conforming_strings = off;"),
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_run_is_refused_with_file_and_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptRefused) as caught:
        read(f"select 1;\n\n{text}\nselect 2;", tmp_path)
    assert f"{tmp_path.name}/{NAME}:3: " in str(caught.value)
    assert caught.value.hint


def test_all_that_is_refused_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ScriptRefused) as caught:
        read("vacuum;\n\\! ls\ncreate user x;", tmp_path)
    assert len(str(caught.value).splitlines()) == 3


COMMANDS = {
    r"select '\c a'": (r"select '\c a'", 0),
    r"select E'\'\c a'": (r"select E'\'\c a'", 0),
    r"select $$ \c a $$, $x$ \d $$ \d $x$": (r"select $$ \c a $$, $x$ \d $$ \d $x$", 0),
    "-- \\c a\n/* \\c b /* \\c c */ \\c d */ select 1": ("select 1", 0),
    'select "\\c a"': ('select "\\c a"', 0),
    "select 1; \\c a": ("select 1", 1),
}


@pytest.mark.parametrize(("text", "expected"), COMMANDS.items(), ids=repr)
def test_meta_commands_are_found_where_psql_finds_them(
    text: str, expected: tuple[str, int], tmp_path: Path
) -> None:
    script = read(text, tmp_path)
    assert ([one[1] for one in statements(script)], len(script.notes)) == (
        [expected[0]],
        expected[1],
    )


def test_a_second_database_is_refused(tmp_path: Path) -> None:
    read("\\c collec\n\\c collec -", tmp_path)
    with pytest.raises(ScriptRefused, match=r":2: .c other"):
        read("\\c collec\n\\c other", tmp_path)


def test_variables_are_put_in_as_psql_does(tmp_path: Path) -> None:
    text = """\\set table 'my table'
select :'who', :"table", :n, b::text, ':n', $$ :n $$, a[1:x];
\\unset n
select :n;"""
    with pytest.raises(ScriptUnreadable, match=f'{NAME}:4: syntax error at or near ":"'):
        read(text, tmp_path, who="l'un", n="5")
    found = statements(read(text.replace("\\unset n", ""), tmp_path, who="l'un", n="5"))
    expected = """select 'l''un', "my table", 5, b::text, ':n', $$ :n $$, a[1:x]"""
    assert found == [(2, expected), (4, "select 5")]


def test_includes_are_followed_where_they_stand(tmp_path: Path) -> None:
    wrapping.write(
        tmp_path, {"sub/a.sql": "select 2;\n\\ir b.sql\nselect 4;", "sub/b.sql": "\nselect 3;"}
    )
    script = read("select 1;\n\\i sub/a.sql\n\nselect 5;", tmp_path)
    assert statements(script) == [
        *((1, "select 1"), (1, "select 2"), (2, "select 3"), (3, "select 4"), (4, "select 5"))
    ]
    assert [source.name for source in script.sources] == [NAME, "a.sql", "b.sql"]
    assert [part.begins_session for part in script.parts] == [True, False, False, False, False]


def test_an_include_that_goes_round_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScriptRefused, match="goes round in circles"):
        read(f"\\i {NAME}", tmp_path)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScriptUnreadable, match=r"cannot read the script .*none\.sql"):
        read("\\i none.sql", tmp_path)


def test_what_is_no_sql_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ScriptUnreadable, match=rf"{NAME}:3: syntax error at or near \"selct\""):
        read("select 'é';\n\nselct 1;", tmp_path)


def test_the_checksum_is_blind_to_line_ends_alone(tmp_path: Path) -> None:
    plain = read("select 1;\nselect 'é';", tmp_path).checksum
    assert read("\ufeffselect 1;\r\nselect 'é';", tmp_path).checksum == plain
    assert read("select 1;\nselect 'è';", tmp_path).checksum != plain


def test_dollar_quotes_inside_dollar_quotes_and_atomic_bodies_are_one_statement(
    tmp_path: Path,
) -> None:
    text = """do $a$ begin execute $b$ select ';' $b$; end $a$;
create function f() returns int begin atomic select 1; select 2; end;
create table col.t (place geography(Point, 4326));"""
    assert [line for line, _ in statements(read(text, tmp_path))] == [1, 2, 3]


def test_five_megabytes_are_read_in_a_moment(tmp_path: Path) -> None:
    text = "select 1;\nselect '" + "une étiquette; col.x\n" * 250_000 + "';\n\nselect 2;"
    started = time.process_time()
    script = read(text, tmp_path)
    assert time.process_time() - started < 3
    assert [line for line, _ in statements(script)] == [1, 2, 250_004]


def test_a_file_outside_the_scripts_folder_is_not_read(tmp_path: Path) -> None:
    wrapping.write(tmp_path, {"secret.sql": "select 1;"})
    inside = tmp_path / "install"
    for name in ("../secret.sql", str(tmp_path / "secret.sql"), "link.sql"):
        inside.mkdir(exist_ok=True)
        (inside / "link.sql").unlink(missing_ok=True)
        (inside / "link.sql").symlink_to(tmp_path / "secret.sql")
        with pytest.raises(ScriptRefused, match=r":2: .* is outside the script's folder"):
            read(f"select 1;\n\\i {name}", inside)


def test_a_script_is_a_plain_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(ScriptUnreadable, match="cannot read the script"):
        read_script([tmp_path / NAME])
