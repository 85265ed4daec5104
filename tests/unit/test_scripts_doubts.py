"""What may be a name or may not is told, left alone, and bound when that was decided."""

import pytest

from collec_migrations.scripts import Choice, Doubt, bind, doubts

NAMES = {"col": "Lab's"}

DOUBTFUL = {
    "literal in a function": ("select f('col')", "col", "select f('Lab''s')"),
    "literal in a list": ("select x in ('col') from f(1)", None, None),
    "array": ("select array['col']", "col", "select array['Lab''s']"),
    "values": ("select * from (values ('col')) v", "col", "select * from (values ('Lab''s')) v"),
    "name in a literal": ("select f('col.a')", "col.a", "select f('\"Lab''s\".a')"),
    "variable": (
        "do $$ declare s text := 'col'; begin end $$",
        "col",
        "do $$ declare s text := 'Lab''s'; begin end $$",
    ),
    "part of a command": (
        "do $$ begin q := q || ' join col.a on ('; end $$",
        " join col.a on (",
        "do $$ begin q := q || ' join \"Lab''s\".a on ('; end $$",
    ),
    "part of a format": (
        "do $$ begin execute format('%s from col.a 100%%', x); end $$",
        "%s from col.a 100%%",
        "do $$ begin execute format('%s from \"Lab''s\".a 100%%', x); end $$",
    ),
    "argument of a format that is not known": (
        "do $$ begin execute format(q, 'col'); end $$",
        "col",
        "do $$ begin execute format(q, 'Lab''s'); end $$",
    ),
    "argument of a trigger": (
        "create trigger t before insert on a for each row execute function f('col')",
        "col",
        "create trigger t before insert on a for each row execute function f('Lab''s')",
    ),
    "SQL as data": (
        "insert into request values ('select * from col.a')",
        "select * from col.a",
        "insert into request values ('select * from \"Lab''s\".a')",
    ),
    "array in a literal": ("select '{col,a}'::text[]", "{col,a}", None),
    "list in a literal": ("select f('a, col')", "a, col", "select f('a, Lab''s')"),
    "pattern that matches more": (
        "select 1 from t where table_schema like 'col%'",
        "col%",
        "select 1 from t where table_schema like 'Lab''s%'",
    ),
    "regular expression": (
        "select 1 from t where schemaname ~ '^(col|a)$'",
        "^(col|a)$",
        "select 1 from t where schemaname ~ '^(Lab''s|a)$'",
    ),
    "array of names": (
        "select 1 from t where schemaname = any ('{col,a}')",
        "{col,a}",
        "select 1 from t where schemaname = any ('{Lab''s,a}')",
    ),
    "two names joined": (
        "select 1 from t where table_schema || '.' || table_name = 'col.a'",
        "col.a",
        "select 1 from t where table_schema || '.' || table_name = '\"Lab''s\".a'",
    ),
    "column with a name and its schema": ("select 1 from t where x = 'col.a'", "col.a", None),
    "unknown column of schemas": ("select 1 from t where my_schema = 'col'", "col", None),
    "stored name of a schema": ("insert into a (b, my_schema) values ('col', 'col')", "col", None),
    "updated name of a schema": ("update a set b = 'col', nspname = 'col'", "col", None),
    "default of a parameter": (
        "create function f(a text default 'col') returns int language sql return 1",
        "col",
        None,
    ),
    "compared variable": (
        "do $$ declare s text; begin if s = 'col' then return; end if; end $$",
        "col",
        None,
    ),
    "another language": (
        "create function f() returns int language plpython3u as $$ plpy.execute('table col.a') $$",
        " plpy.execute('table col.a') ",
        None,
    ),
    "variable with two dots": (
        "do $$ declare col record; begin perform col.a.b; end $$",
        "col",
        'do $$ declare col record; begin perform "Lab\'s".a.b; end $$',
    ),
    "PL/pgSQL that is not understood": (
        "do $$ begin if col.f() from then end if; end $$",
        "col",
        'do $$ begin if "Lab\'s".f() from then end if; end $$',
    ),
}
CASES = {name: case for name, case in DOUBTFUL.items() if case[1]}


@pytest.mark.parametrize(("sql", "literal", "bound"), CASES.values(), ids=CASES)
def test_a_doubt_is_told_and_the_literal_left_alone(
    sql: str, literal: str, bound: str | None
) -> None:
    (doubt,) = doubts("select 1;\n" + sql, NAMES)
    assert (doubt.line, doubt.literal) == (2, literal)
    assert bind(sql, NAMES) == sql


@pytest.mark.parametrize(("sql", "literal", "bound"), CASES.values(), ids=CASES)
def test_a_decision_is_carried_out(sql: str, literal: str, bound: str | None) -> None:
    leave, do = {(1, literal): Choice.LEAVE}, {(1, literal): Choice.BIND}
    assert bind(sql, NAMES, decisions=leave) == sql
    assert doubts(sql, NAMES, decisions=leave) == ()
    if bound is not None:
        assert bind(sql, NAMES, decisions=do) == bound
        assert doubts(sql, NAMES, decisions=do) == ()


def test_doubts_name_the_line_of_the_literal() -> None:
    sql = """create function f() returns void language plpgsql as $$
declare
  s text := 'col';
begin
  execute 'select f(''col'') ' ||
    '
       , ''col''';
end $$"""
    assert [(doubt.line, doubt.literal) for doubt in doubts(sql, NAMES)] == [
        (3, "col"),
        (5, "col"),
        (7, "col"),
    ]


def test_doubts_are_told_once_and_in_order() -> None:
    found = doubts("select f('col'),\n g('col'), h('col')", NAMES)
    assert found == (Doubt(1, "col", "may name a schema"), Doubt(2, "col", "may name a schema"))
