"""A script is split where PostgreSQL's parser splits it, and lines are those of the file."""

import time

import pytest

from collec_migrations.errors import ScriptUnreadable
from collec_migrations.sql import line_at, split


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", []),
        (" \n\t", []),
        ("-- only a comment", []),
        ("/* a; b */ ;;\n;", []),
        ("select 1", [(1, "select 1")]),
        ("select 1;; ;select 2;", [(1, "select 1"), (1, "select 2")]),
        ("-- a\n\n/* b;\n */ select 1\n  , 2;\n", [(4, "select 1\n  , 2")]),
        ("select 1 -- a;b\n;-- c\nselect 2 -- end", [(1, "select 1"), (3, "select 2")]),
        ("select 1;\r\n\tselect\r\n2;\r\n", [(1, "select 1"), (2, "select\r\n2")]),
        ("select 'é;';\nselect 'a--b'", [(1, "select 'é;'"), (2, "select 'a--b'")]),
        ("do $$\nbegin;\nend; $$;\nselect 1", [(1, "do $$\nbegin;\nend; $$"), (4, "select 1")]),
    ],
)
def test_statements_have_their_text_and_line(sql: str, expected: list[tuple[int, str]]) -> None:
    assert [(statement.line, statement.text) for statement in split(sql)] == expected


def test_offsets_point_into_the_script() -> None:
    sql = "-- é\nselect 1;\n /* ü */ select\n 'ß' ; -- end"
    for statement in split(sql):
        assert sql[statement.offset : statement.end] == statement.text
        assert line_at(sql, statement.offset) == statement.line


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select 1;\n\nselect from where x", 'line 3: syntax error at or near "where"'),
        ("select 1;\n'é' select", "line 2: syntax error"),
        ("select 1;\né è", 'line 2: syntax error at or near "é"'),
        ("select\n 'abc", "line 2: unterminated quoted string"),
        ("do $$ begin", "line 1: unterminated dollar-quoted string"),
        ("\n\\c collec\nselect 1", "line 2: syntax error"),
        ("select 1;\n/* open", "line 2: unterminated /\\* comment"),
    ],
)
def test_a_broken_script_is_refused_with_its_line(sql: str, message: str) -> None:
    with pytest.raises(ScriptUnreadable, match=message):
        split(sql)


def test_twenty_thousand_statements_with_accents_are_split_in_a_moment() -> None:
    sql = "".join(
        f"insert into a values ({number}, 'une étiquette, et une autre');\n"
        for number in range(20_000)
    )
    started = time.process_time()
    found = split(sql)
    assert time.process_time() - started < 1, "the parser's own offsets take ten times as long"
    assert (len(found), found[-1].line) == (20_000, 20_000)
    assert found[-1].text == "insert into a values (19999, 'une étiquette, et une autre')"
