"""What a statement takes away is seen in its tree, and its rows are cut from its text."""

from pathlib import Path

import pytest
from pglast import parse_sql

from collec_migrations.wrapping import cutting, extensions, keeping, script, session
from tests import wrapping

UPDATES = {
    "update a set b = 1": 'select "a".ctid from a',
    "update only col.a set b = 1 where c = 2": 'select "a".ctid from only col.a where c = 2',
    "update col.a as x set b = y.b from col.c y where x.i = y.i returning *": (
        'select "x".ctid from col.a as x, col.c y where x.i = y.i'
    ),
    "update a set b = c is distinct from d, e = (select f from g where h) where i": (
        'select "a".ctid from a where i'
    ),
    "with w as (select 1) update a set b = (select * from w) where c in (select * from w)": (
        'with w as (select 1) select "a".ctid from a where c in (select * from w)'
    ),
    "delete from a": 'select "a".ctid from a',
    "delete from col.a x using b, c where x.d = b.d": (
        'select "x".ctid from col.a x, b, c where x.d = b.d'
    ),
    "update a set b = extract(year from c) where d": 'select "a".ctid from a where d',
}


@pytest.mark.parametrize(("sql", "expected"), UPDATES.items(), ids=UPDATES)
def test_the_rows_of_a_statement_are_cut_from_its_text(sql: str, expected: str) -> None:
    assert cutting.touched(sql, parse_sql(sql)[0].stmt) == expected


def test_what_cannot_be_proved_is_not_cut() -> None:
    sql = "update a set b = 1 where current of c"
    assert cutting.touched(sql, parse_sql(sql)[0].stmt) == ""


LOSSES = {
    "alter table col.a drop column b, drop column if exists c, add d int": [
        ("a", ("b",)), ("a", ("c",)),
    ],
    "alter table a alter column b type int using b::int, alter column c type text": [("a", ("b",))],
    "drop table if exists col.a, b cascade": [("a", ()), ("b", ())],
    "truncate a, col.b": [("a", ()), ("b", ())],
    "update a set b = 1, c = 2": [("a", ("b", "c"))],
    "delete from col.dbversion": [("dbversion", ())],
    "drop view a": [],
    "alter view a rename to b": [],
    "insert into a values (1)": [],
}  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), LOSSES.items(), ids=LOSSES)
def test_what_a_statement_takes_away(
    sql: str, expected: list[tuple[str, tuple[str, ...]]], tmp_path: Path
) -> None:
    (item,) = items(sql, tmp_path)
    assert [(loss.table, loss.columns) for loss in keeping.losses(item)] == expected


def items(sql: str, folder: Path) -> tuple[script.Item, ...]:
    return script.read(wrapping.write(folder, {"a.sql": sql})).items


def test_archives_are_named_after_table_and_version(tmp_path: Path) -> None:
    keeper = keeping.Keeper(old="1.2.3", new="2.0")
    long = "t" * 63
    sql = f"delete from a; delete from a; delete from {long}; delete from {long}"
    names = [one.archive for item in items(sql, tmp_path) for one in keeper.before(item)]
    assert names[:2] == ["a_until_1_2_3", "a_until_1_2_3_2"]
    assert names[2] == "t" * 51 + "_until_1_2_3"
    assert len(set(names)) == 4
    assert max(map(len, names)) == 63


EXTENSIONS = {
    "create extension if not exists pg_trgm schema public": [("pg_trgm", True, 0)],
    "create index i on a using gin (b gin_trgm_ops)": [("pg_trgm", False, 0)],
    "create index i on a using gist (lower(b) public.gist_trgm_ops)": [("pg_trgm", False, 0)],
    "alter table a add column g geometry(Point, 4326)": [("postgis", False, 0)],
    "update a set g = st_setsrid(st_makepoint(x, y), 4326)": [("postgis", False, 0)],
    "alter table a add column u uuid default gen_random_uuid()": [("pgcrypto", False, 130000)],
    "select gen_random_uuid(), digest('a', 'b')": [("pgcrypto", False, 0)],
    "create index i on a using gin (b varchar_ops)": [("btree_gin", False, 0)],
    "create index i on a using btree (b varchar_ops)": [],
    "create index i on a using gist (b gist_int4_ops)": [("btree_gist", False, 0)],
    "create index i on a using gist (g gist_geometry_ops_nd)": [("postgis", False, 0)],
    "create table a (b varchar, c text[]); create index i on a using gin (b)": [
        ("btree_gin", False, 0)
    ],
    "create table a (b varchar, c text[]); create index i on a using gin (c)": [],
    "alter table col.a add b date; create index i on col.a using gin (c, b)": [
        ("btree_gin", False, 0)
    ],
    "insert into a (geometry) values ('st_x()')": [],
}


@pytest.mark.parametrize(("sql", "expected"), EXTENSIONS.items(), ids=EXTENSIONS)
def test_extensions_are_seen_in_what_a_script_uses(
    sql: str, expected: list[tuple[str, bool, int]], tmp_path: Path
) -> None:
    found = extensions.uses(items(sql, tmp_path))
    assert [(one.name, one.made, one.core_since) for one in found] == expected


def test_all_settings_that_a_script_names_are_put_back(tmp_path: Path) -> None:
    sql = "set xmloption = content; set local row_security = off; reset datestyle;\n" \
        "select set_config('work_mem', '1MB', false); set role a; set my.own = 1"  # fmt: skip
    names = session.settings(items(sql, tmp_path))
    assert {"role", "search_path", "xmloption", "row_security", "work_mem"} < set(names)
    assert [name.lower() for name in names].count("datestyle") == 1
    assert "my.own" not in names
