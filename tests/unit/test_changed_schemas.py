"""Which schema a statement changes: what it creates or alters, not what it reads."""

import pytest

from collec_migrations import sql

CASES = [
    ("create table col.a (b int references gacl.b)", "col"),
    ("create table gacl.a (b int)", "gacl"),
    ("alter table col.a add foreign key (b) references gacl.aclgroup", "col"),
    ("create or replace view col.aclgroup as select * from gacl.aclgroup", "col"),
    ("insert into gacl.a select * from col.b", "gacl"),
    ("insert into col.a values (nextval('gacl.s'))", "col"),
    ("update col.a set b = c from gacl.c", "col"),
    ("with x as (select b from gacl.a) update col.a set c = b from x", "col"),
    ("delete from col_archive.a", "col"),
    ("create table gacl_archive.a as table gacl.a", "gacl"),
    ("select * into col.a from gacl.b", "col"),
    ("select * from gacl.a, col.b", ""),
    ("comment on column gacl.a.b is 'x'", "gacl"),
    ("comment on schema col is 'x'", "col"),
    ("create schema gacl", "gacl"),
    ("alter schema col owner to x", "col"),
    ("drop table col.a, gacl.b", "col gacl"),
    ("drop trigger t on gacl.a", "gacl"),
    ("drop function col.f(gacl.t)", "col"),
    ("drop type gacl.t", "gacl"),
    ("alter function gacl.f(col.t) owner to x", "gacl"),
    ("alter sequence gacl.s owned by gacl.a.b", "gacl"),
    ("create function col.f() returns int language sql as 'update gacl.a set b = 1'", "col"),
    ("create trigger t after insert on gacl.a for each row execute function col.f()", "gacl"),
    ("create index on gacl.a (b)", "gacl"),
    ("grant select on gacl.a, col.b to x", "col gacl"),
    ("grant usage on schema gacl to x", "gacl"),
    ("grant select on all tables in schema col to x", "col"),
    ("alter default privileges in schema gacl grant select on tables to x", "gacl"),
    ("alter table gacl.a set schema col", "col gacl"),
    ("alter table gacl.a alter b set default nextval('col.s')", "gacl"),
    ("select setval('gacl.s', (select max(x) from col.t))", "gacl"),
    ("select setval('col.s'::regclass, 1)", "col"),
    ("select col.regenerate()", "col"),
    ("call gacl.p()", "gacl"),
    ("do $$ begin update gacl.a set b = 1; end $$", "gacl"),
    ("do $$ begin execute 'drop table col.' || x; perform 1 from gacl.a; end $$", "col gacl"),
    ("set search_path = gacl", ""),
    ("create extension pg_trgm", ""),
    ("create table public.a (b int)", ""),
    ("create temporary table a as table gacl.b", ""),
    ("drop table a", ""),
    ("truncate gacl.a", "gacl"),
    ("create type gacl.t as enum ('col')", "gacl"),
    ("copy gacl.a from stdin", "gacl"),
    ("copy gacl.a to stdout", ""),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "expected"), CASES)
def test_a_statement_changes_its_targets(statement: str, expected: str) -> None:
    assert sql.changes(statement) == frozenset(expected.split())


@pytest.mark.parametrize(
    ("statement", "path", "expected"),
    [
        ("create table a (b int)", "gacl", "gacl"),
        ("create table a (b int)", "col gacl", "col"),
        ("create table a (b int)", "public gacl col", ""),
        ("alter table a add b int", "gacl", "gacl"),
        ("alter table a add b int", "public gacl col", "col gacl"),
        ("insert into a values (1)", "col public", "col"),
        ("comment on column a.b is 'x'", "gacl", "gacl"),
        ("comment on table a is 'x'", "col", "col"),
        ("drop trigger t on a", "col", "col"),
        ("select setval('s', 1)", "gacl", "gacl"),
        ("alter table gacl.a add b int", "col", "gacl"),
        ("create function f() returns int language sql as ''", "col", "col"),
        ("create extension x", "col", ""),
    ],
)
def test_a_name_without_schema_is_looked_up_in_the_path(
    statement: str, path: str, expected: str
) -> None:
    assert sql.changes(statement, tuple(path.split())) == frozenset(expected.split())


def test_the_search_path_is_followed_through_a_script() -> None:
    script = """set search_path = gacl; update a set b = 1;
        set search_path to 'col', public; update a set b = 1;
        select set_config('search_path', 'gacl, "col"', false); create view v as select 1;
        reset search_path; update a set b = 1"""
    found = [sorted(changed) for _, changed in sql.with_changes(script)]
    assert found == [[], ["gacl"], [], ["col"], [], ["gacl"], [], []]
