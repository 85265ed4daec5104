"""Bound scripts run on a server under awkward names, and do what they do under their own."""

from pathlib import Path

import pytest

from collec_migrations.catalog import compare
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from collec_migrations.sql import bind
from tests import chain

PAIRS = [
    Names.parse(gacl="user", col="order"),
    Names.parse(gacl="Droits d'accès", col='lab-"A"'),
    Names.parse(gacl="100%I %%s", col="$$ $body0$ \\n"),
    Names.parse(gacl="col", col="gacl"),
    Names.parse(gacl="é" * 31, col="a\nb; -- :c, d.e"),
]

SCRIPT = r"""
create schema gacl; create schema col;
set search_path = col, gacl, pg_catalog;
create type gacl.kind as enum ('one', 'two');
create domain col.code as text check (value <> 'none');
create table gacl.aclgroup (id serial primary key, kind gacl.kind default 'one'::gacl.kind);
create table gacl.aclappli (appli text default 'col');
create table col.sample (
    uid serial primary key, appli col.code default 'x', acl int references gacl.aclgroup (id));
create index sample_appli on col.sample (appli) where appli <> 'y';
create sequence col.numbers start 7 owned by col.sample.uid;
insert into gacl.aclappli (appli) values ('col');
insert into gacl.aclgroup (kind) values ('one'), ('two');
insert into col.sample (appli, acl) select 'x', id from gacl.aclgroup;
create view col.v as
    select s.uid, aclgroup.kind from col.sample s join gacl.aclgroup on id = s.acl;
create function col.same(a col.code, b col.code) returns boolean
    language sql as 'select a::text = b::text';
create operator col.=== (procedure = col.same, leftarg = col.code, rightarg = col.code);
create function col.by_sql() returns setof text language sql as $$
    select appli::text from col.sample where 'x'::col.code operator(col.===) 'x'::col.code
    union all select nextval('col.numbers')::text
    union all select count(*)::text from pg_class where oid = 'col.sample'::regclass
    union all select count(*)::text from pg_tables where schemaname in ('col', 'gacl')
    $$;
create function col.by_program() returns setof text language plpgsql as $body$
declare
    one col.sample%rowtype;
    number col.sample.uid%type := nextval('col.numbers');
    kinds gacl.kind[] := array[null::gacl.kind];
    t text;
    listed cursor (least int) for select * from col.sample where uid >= least;
begin
    return next number::text;
    for one in select * from col.sample loop return next 'appli ' || one.appli; end loop;
    for t in execute format('select count(*)::text from %I.%I', 'col', 'sample')
    loop return next t; end loop;
    execute $q$ select (to_regclass('col.sample') is not null)::text $q$ into t;
    return next t;
    execute $q$ do $$ begin perform col.by_sql() from gacl.aclgroup; end $$ $q$;
    if exists (select 1 from information_schema.tables where table_schema = 'col') then
        return next 'found';
    end if;
    perform set_config('search_path', 'gacl', true);
    return query select count(*)::text from aclgroup;
end $body$
set search_path = col, gacl, pg_catalog;
create function col.note() returns trigger language plpgsql as $$
begin insert into gacl.aclgroup (kind) values ('one'); return new; end $$;
create trigger note after insert on col.sample for each row execute procedure col.note();
do $$ begin
    execute $x$ alter table col.sample add column extra col.code default 'z' $x$;
    insert into col.sample (appli) values ('x');
    comment on table col.sample is 'col.sample of gacl';
end $$;
"""
RESULT = """
select 'sql ' || x from col.by_sql() x
union all select 'program ' || x from col.by_program() x
union all select 'groups ' || count(*) from gacl.aclgroup
union all select appli from gacl.aclappli where appli = 'col'
union all select obj_description('col.sample'::regclass)
union all select v::text from col.v
"""
LEGACY = Path(__file__).parent.parent.parent / "legacy_sql"


def results(address: Address, names: Names) -> list[object]:
    """Run the script under these names and return what its functions give."""
    bound = names.by_default_name
    with chain.connected(address) as connection, connection.cursor() as cursor:
        cursor.execute(bind(SCRIPT, bound))
        cursor.execute(bind(RESULT, bound))
        found = [row[0] for row in cursor.fetchall()]
        connection.commit()
    return found


@pytest.mark.parametrize("names", PAIRS, ids=str)
def test_functions_do_the_same_under_other_names(database: Address, names: Names) -> None:
    expected = [
        *("sql x", "sql x", "sql x", "sql 7", "sql 1", "sql 3"),
        *("program 8", "program appli x", "program appli x", "program appli x", "program 3"),
        *("program true", "program found", "program 3", "groups 3", "col"),
        *("col.sample of gacl", "(1,one)", "(2,two)"),
    ]
    plain = results(database, Names())
    assert plain == expected
    chain.execute(database, "drop schema col cascade; drop schema gacl cascade")
    assert results(database, names) == plain


@pytest.mark.parametrize("names", PAIRS, ids=str)
def test_the_catalog_is_the_same_under_other_names(database: Address, names: Names) -> None:
    results(database, Names())
    expected = chain.catalog(database)
    chain.execute(database, "drop schema col cascade; drop schema gacl cascade")
    results(database, names)
    assert not compare(expected=expected, observed=chain.catalog(database, names))


@pytest.mark.parametrize("names", PAIRS, ids=str)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_the_creation_scripts_give_the_known_catalog(
    database: Address, version: str, names: Names
) -> None:
    with chain.connected(database) as connection, connection.cursor() as cursor:
        for part in ("gacl", "col"):
            sql = (LEGACY / f"{part}_create-{version}.sql").read_text("utf-8")
            cursor.execute(bind(sql, names.by_default_name))
        connection.commit()
    assert not compare(expected=chain.known(version), observed=chain.catalog(database, names))
