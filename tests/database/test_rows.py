"""Dumps and digests of rows, and what a difference looks like."""

from collections.abc import Iterator

import pytest
from psycopg2 import extensions

from tests.builders import databases, rows
from tests.servers import Server

SAMPLES = """
create schema lab;
create table lab.sample (id integer, data bytea, note text, doc json, at timestamp, x float8);
insert into lab.sample values
  (1, '\\x00ff', '', '{"a": 1,  "a":2}', 'infinity', 'NaN'),
  (2, null, null, null, '0044-03-15 BC', 0.1);
create table lab.nothing ();
"""


@pytest.fixture
def connection(server18: Server) -> Iterator[extensions.connection]:
    with databases.empty(server18) as opened:
        opened.cursor().execute(SAMPLES)
        yield opened


def change(connection: extensions.connection, statement: str) -> list[str]:
    """Return how the rows of `lab` differ after a statement."""
    before = rows.dump_rows(connection, "lab")
    connection.cursor().execute(statement)
    return rows.difference(before, rows.dump_rows(connection, "lab"))


def test_a_dump_is_exact(connection: extensions.connection) -> None:
    connection.cursor().execute("set datestyle to german; set bytea_output to escape")
    assert rows.dump_rows(connection, "lab") == {
        "nothing": [],
        "sample": [
            '("0044-03-15 00:00:00 BC",,,2,,0.1)',
            r'(infinity,"\\x00ff","{""a"": 1,  ""a"":2}",1,"",NaN)',
        ],
    }


def test_a_dump_puts_the_session_back(connection: extensions.connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("set datestyle to german")
        rows.dump_rows(connection, "lab")
        cursor.execute("show datestyle")
        assert cursor.fetchone() == ("German, DMY",)


@pytest.mark.parametrize(
    "statement",
    [
        "update lab.sample set note = null where id = 1",
        "update lab.sample set note = '' where id = 2",
        """update lab.sample set doc = '{"a":1,"a":2}' where id = 1""",
        "update lab.sample set data = '\\x00fe' where id = 1",
        "update lab.sample set x = 0.1::float8 + 2e-17 where id = 2",
        "insert into lab.sample select * from lab.sample where id = 2",
        "delete from lab.sample where id = 2",
    ],
)
def test_every_change_is_seen(connection: extensions.connection, statement: str) -> None:
    digest = rows.digest(connection, "lab")
    lines = change(connection, statement)
    assert lines[0].startswith("sample: ")
    assert rows.difference(digest, rows.digest(connection, "lab"))


def test_the_place_of_a_column_does_not_matter(connection: extensions.connection) -> None:
    digest = rows.digest(connection, "lab")
    assert not change(
        connection,
        "alter table lab.sample rename note to old; alter table lab.sample add note text;"
        "update lab.sample set note = old; alter table lab.sample drop old",
    )
    assert digest == rows.digest(connection, "lab")


def test_only_common_columns_are_compared(connection: extensions.connection) -> None:
    before = rows.columns(connection, "lab")
    connection.cursor().execute(
        "alter table lab.sample drop note, add later integer; create table lab.new ()"
    )
    assert rows.common(before, rows.columns(connection, "lab")) == {
        "nothing": [],
        "sample": ["at", "data", "doc", "id", "x"],
    }


def test_a_difference_names_tables_and_rows(connection: extensions.connection) -> None:
    lines = change(connection, "drop table lab.nothing; delete from lab.sample where id = 2")
    assert lines == [
        "nothing: only before",
        "sample: 1 rows lost, 0 new",
        '  - ("0044-03-15 00:00:00 BC",,,2,,0.1)',
    ]


def test_a_dump_takes_any_name_of_a_schema(server18: Server) -> None:
    with databases.empty(server18) as connection:
        connection.cursor().execute(
            'create schema "%s""x"; create table "%s""x"."%(t)s" as select 1'
        )
        assert rows.dump_rows(connection, '%s"x') == {"%(t)s": ["(1)"]}
        assert rows.digest(connection, '%s"x')["%(t)s"][0] == 1
