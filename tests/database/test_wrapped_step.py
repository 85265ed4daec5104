"""A run of wrapped scripts: what it does as psql does, puts back, refuses, tells and keeps."""

import re
import time
from pathlib import Path

import pytest

from collec_migrations import versions
from collec_migrations.catalog import Catalog, compare
from collec_migrations.errors import (
    BackupMissing,
    DowngradeRefused,
    MigrationError,
    ScriptChanged,
    ScriptUnreadable,
)
from collec_migrations.migrate import verbs
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from tests import chain, wrapping
from tests.constructs import ROWS, SCRIPTS
from tests.servers import Server

HEAD = versions.in_chain()[-1]
NAMES = Names.parse(gacl="Droits X", col='lab-"A"')
STEPS = [HEAD, "27.0", "27.1", "27.2"]


def go(
    address: Address, *scripts: str | bytes, names: Names = NAMES, backup: str = "no"
) -> list[str]:
    """Wrap scripts as versions 27.0, 27.1 ... and upgrade to the last; return what was said."""
    pairs = zip(STEPS, STEPS[1:], scripts, strict=False)
    wrapping.wrapped({f"col_alter_{old}-{new}.sql": text for old, new, text in pairs})
    return chain.upgrade(address, backup=backup, **chain.under(names))


def one(address: Address, sql: str) -> object:
    return chain.query(address, sql)[0][0]


FILL = """
create table col.a (a_id integer primary key, b varchar, c varchar);
insert into col.a values (1, 'b1', 'c1'), (2, null, 'c2'), (3, 'b3', null);
create table gacl.g (g_id integer primary key, x varchar);
insert into gacl.g values (1, 'x');
create view col.v as select a_id from col.a;
create domain col.code as varchar; create table col.d (d_id integer, code col.code);
insert into col.d values (1, 'x'), (2, null);
"""
WENT = {
    "alter table col.a drop column b;": ['column lab-"A".a.b was dropped, with 2 values'],
    "drop table col.a cascade;": [
        'table lab-"A".a was dropped, with 3 rows',
        "view v of the data schema is gone",
    ],
    "truncate gacl.g, col.a;": [
        "table Droits X.g lost 1 row of 1",
        'table lab-"A".a lost 3 rows of 3',
    ],
    "drop domain col.code cascade;": [
        'column lab-"A".d.code was dropped, with 1 value',
        "type code of the data schema is gone",
    ],
    "do $$ begin execute $x$ delete from col.a where a_id > 1 $x$; end $$;": [
        'table lab-"A".a lost 2 rows of 3'
    ],
    "alter table gacl.g alter column x type varchar(5);": [
        "column Droits X.g.x was character varying and is character varying(5) now"
    ],
    "alter table col.a rename to z; alter table col.z rename column b to y;": [],
    "create table col.n (i int); insert into col.a values (4);": [],
    "alter table col.a add column tmp int; alter table col.a drop column tmp;": [],
    "drop schema if exists never; drop function if exists col.never();": [],
}


@pytest.mark.parametrize(("script", "lines"), WENT.items(), ids=WENT)
def test_what_went_is_told(database: Address, site: Path, script: str, lines: list[str]) -> None:
    go(database, FILL)
    said = go(database, FILL, script)
    assert [line for line in said if line.startswith("27.")] == [f"27.1: {one}" for one in lines]


RUN = {
    "a path of its own": "set search_path = gacl; create table t (i int); set search_path to col;"
    " create table t (i int); insert into gacl.t values (1);",
    "none": "create table t (i int); create table gacl.t (i int); insert into gacl.t values (1);",
    "begin and commit": "begin; create table t (i int); create table gacl.t as select 1; commit;",
    "CRLF": "create table t (i int);\r\n\\c collec\r\ncreate table gacl.t as\r\nselect 1;\r\n",
    "a block": "do $a$ begin execute $b$ create table col.t (i int) $b$;"
    " create table gacl.t as select 1; end $a$;",
    "atomic": "create table col.t (i int); create table gacl.t as select 1;\n"
    "create function col.f() returns bigint begin atomic select count(*) from col.t; end;",
    "no end": "create table col.t (i int); create table gacl.t as select 1 -- col.t",
    "the account": "create table col.t (i int); alter table col.t owner to collec;"
    " create table gacl.t as select 1; alter schema gacl owner to collec;"
    " grant select on gacl.t to collec;",
    "an extension that is not there": "create extension if not exists btree_gin schema public;\n"
    "create table col.t (i int); create index on col.t using gin (i);\n"
    "create table gacl.t as select 1;",
    "an extension in a schema of its own": "set search_path = col;\n"
    "create table t (i int, n text); create index on t using gin (n gin_trgm_ops);\n"
    "create table gacl.t as select 1;",
    "an extension that is there": "create extension pg_trgm schema pg_catalog;\n"
    "create table col.t (i int); create table gacl.t as select 1;",
}


@pytest.mark.parametrize("script", RUN.values(), ids=RUN)
@pytest.mark.parametrize("names", [Names(), NAMES], ids=str)
def test_a_script_runs_as_psql_runs_it(
    database: Address, site: Path, script: str, names: Names
) -> None:
    chain.execute(database, "create schema extra; create extension pg_trgm schema extra")
    go(database, script, names=names)
    found = chain.query(
        database,
        "select schemaname from pg_tables where tablename = 't' order by 1",
    )
    assert {name for (name,) in found} == {names.gacl, names.col}
    assert one(database, f'select count(*) from "{names.gacl}".t') == 1
    assert one(database, f"select count(*) from {chain.quoted(names.col)}.t") == 0


def test_settings_are_put_back_after_each_script(database: Address, site: Path) -> None:
    first = (
        "set search_path = gacl; set statement_timeout = '1h'; set DateStyle = 'German';"
        " set work_mem = '1MB'; set check_function_bodies = off;"
    )
    second = "create table settings as select name, setting from pg_catalog.pg_settings;"
    go(database, first, second)
    rows = chain.query(
        database,
        f"select name, setting from {chain.quoted(NAMES.col)}.settings where name in"
        " ('statement_timeout', 'DateStyle', 'work_mem', 'check_function_bodies') order by 1",
    )
    assert [setting for _, setting in rows] == ["ISO, MDY", "on", "0", "4096"]


@pytest.mark.parametrize(
    ("script", "line", "message"),
    [
        ("select 1;\n\nselect 'é', nothing;", 3, 'column "nothing" does not exist'),
        ("\\echo x\nbegin;\ninsert into col.dbversion values ('a');", 3, "invalid input syntax"),
        ("\ncreate extension nothing;", 2, 'extension "nothing" is not available'),
        ("select 1;\ndo $$\nbegin\nperform 1/0;\nend $$;", 4, "division by zero"),
    ],
)
def test_a_failure_names_file_and_line_and_leaves_nothing(
    database: Address, site: Path, script: str, line: int, message: str
) -> None:
    go(database, "create table col.first (i int);")
    with pytest.raises(MigrationError, match=re.escape(message)) as caught:
        go(database, "create table col.first (i int);", "create table col.t (i int);",
           script)  # fmt: skip
    assert f"collec-versions/col_alter_27.1-27.2.sql:{line}: " in str(caught.value)
    query = f"select version_num from {chain.quoted(NAMES.col)}.alembic_version"
    assert one(database, query) == "27.0"
    assert not (wrapping.SITE / "27.1.json").exists()


def test_a_name_that_cannot_be_bound_stops_the_run(database: Address, site: Path) -> None:
    script = "create table col.t (i int);\nselect 'the col of a bottle';"
    with pytest.raises(ScriptUnreadable, match=r"27\.0\.sql:2: the names of schemas cannot be"):
        go(database, script)
    chain.execute(database, f"drop schema if exists {chain.quoted(NAMES.col)} cascade")
    go(database, script, names=Names())
    assert one(database, "select count(*) from col.t") == 0


def test_a_copy_that_changed_stops_the_run(database: Address, site: Path) -> None:
    wrapping.wrapped({f"col_alter_{HEAD}-27.0.sql": "select 1;"})
    (wrapping.SITE / f"col_alter_{HEAD}-27.0.sql").write_text("select 2;")
    with pytest.raises(ScriptChanged, match="the script changed since it was wrapped"):
        chain.upgrade(database)


def test_variables_are_part_of_the_version(database: Address, site: Path) -> None:
    script = {f"col_alter_{HEAD}-27.0.sql": "create table col.t as select :'who' as who;"}
    wrapping.wrapped(script, {"who": "l'un"})
    chain.upgrade(database)
    assert one(database, "select who from col.t") == "l'un"


def test_there_is_no_way_back(database: Address, site: Path) -> None:
    go(database, "create table col.t (i int);")
    chain.execute(database, "insert into \"Droits X\".aclgroup (groupe) values ('mine')")
    with pytest.raises(DowngradeRefused, match="there is no way back"):
        chain.downgrade(database, "base", **chain.under(NAMES))


def test_a_step_without_a_way_back_needs_a_backup(database: Address, site: Path) -> None:
    chain.upgrade(database)
    wrapping.wrapped({f"col_alter_{HEAD}-27.0.sql": "create table col.t (i int);"})
    with pytest.raises(BackupMissing, match="has no way back, and no backup was taken"):
        chain.upgrade(database)
    assert one(database, "select version_num from col.alembic_version") == HEAD
    chain.upgrade(database, backup="no")
    query = "select note from col.migration_history order by migration_history_id desc limit 1"
    assert one(database, query) == "no backup was taken"


def test_a_shared_rights_schema_is_changed_once(database: Address, site: Path) -> None:
    script = """set search_path = gacl;
create table r (i int); insert into r values (1);
set search_path = col;
create table d (i int);
insert into gacl.r values (2);
alter table d add column r int;
set search_path = gacl;
\\i more.sql
create table after (i int);
"""
    wrapping.write(Path("scripts"), {"more.sql": "create table more (i int);"})
    wrapping.wrapped({f"col_alter_{HEAD}-27.0.sql": script})
    chain.upgrade(database, col="one,two")
    assert chain.query(database, "select i from gacl.r order by 1") == [(1,), (2,)]
    assert one(database, "select count(*) from two.d") == 0


def test_the_catalog_becomes_the_sites_own_facts(database: Address, site: Path) -> None:
    go(database, "create table col.t (i int);", names=Names())
    kept = Catalog.from_json((wrapping.SITE / "27.0.json").read_text())
    assert kept == chain.catalog(database)
    assert versions.VERSIONS[-1] == "27.0"
    assert versions.catalog("27.0") == kept


def test_another_database_that_comes_out_otherwise_is_told(
    database: Address, server18: Server, site: Path
) -> None:
    go(database, "create table col.t (i int);", names=Names())
    with server18.database() as other:
        chain.upgrade(other, HEAD)
        chain.execute(other, "create table col.site_table (i int)")
        said = chain.upgrade(other, backup="no")
        assert any(line.startswith("27.0 is not as in collec-versions/27.0.json") for line in said)


def test_every_construct_runs_on_every_major(any_server: Server, site: Path) -> None:
    renamed = {name.replace("_1.1-", f"_{HEAD}-"): text for name, text in SCRIPTS.items()}
    wrapping.wrapped(renamed)
    with any_server.database() as address:
        said = chain.upgrade(address)
        assert not [line for line in said if line.startswith("warning")]
        for sql in ROWS.values():
            assert chain.query(address, sql)
        history = chain.query(address, "select script from col.migration_history order by 1")
        assert set(renamed) < {name for (name,) in history}


def test_a_large_script_with_accents_takes_little_longer_than_psql(
    database: Address, site: Path
) -> None:
    rows = "".join(f"insert into col.t values ({number}, 'é');\n" for number in range(20_000))
    script = "create table col.t (i int, t text);\n" + rows
    chain.upgrade(database)
    wrapping.wrapped({f"col_alter_{HEAD}-27.0.sql": script})
    started = time.monotonic()
    verbs.upgrade({"url": database.url, "backup": "no"}, "head", say=lambda _: None)
    assert time.monotonic() - started < 20
    assert one(database, "select count(*) from col.t where t = 'é'") == 20_000


def test_a_type_with_a_word_as_modifier_is_nothing_special(any_server: Server, site: Path) -> None:
    with any_server.database() as address:
        found = chain.query(address, "select 1 from pg_available_extensions where name = 'postgis'")
        if not found:
            pytest.skip("this server has no PostGIS")
        chain.execute(address, "create extension postgis schema public")
        go(address, "create table col.t (place geography(Point, 4326));\n"
           "insert into col.t values ('point(1 2)');")  # fmt: skip
        query = f"select st_astext(place) from {chain.quoted(NAMES.col)}.t"
        assert one(address, query) == "POINT(1 2)"


def test_new_objects_belong_to_the_schemas_owner_whoever_runs_it(
    database: Address, server18: Server, site: Path
) -> None:
    chain.upgrade(database)
    if not chain.query(database, "select 1 from pg_roles where rolname = 'lab owner'"):
        server18.create_role("lab owner", "x")
    given = """do $$ declare one record; begin
for one in select c.oid::regclass as name from pg_class c where c.relkind in ('r', 'v')
    and c.relnamespace in ('gacl'::regnamespace, 'col'::regnamespace)
loop execute format('alter table %s owner to "lab owner"', one.name); end loop;
for one in select c.oid::regclass as name from pg_class c where c.relkind = 'S'
    and c.relnamespace in ('gacl'::regnamespace, 'col'::regnamespace) and not exists (
    select from pg_depend d where d.objid = c.oid and d.deptype = 'a')
loop execute format('alter sequence %s owner to "lab owner"', one.name); end loop;
for one in select p.oid::regprocedure as name from pg_proc p
    where p.pronamespace in ('gacl'::regnamespace, 'col'::regnamespace)
loop execute format('alter function %s owner to "lab owner"', one.name); end loop; end $$;
alter schema col owner to "lab owner"; alter schema gacl owner to "lab owner";"""
    chain.execute(database, given)
    script = """set search_path = col;
create table t (i serial);
create function f() returns int language sql as 'select 1';
create view v as select * from t;
alter table t owner to collec;
create table gacl.r (i int);
"""
    go(database, script, names=Names())
    owners = chain.query(
        database,
        "select distinct pg_get_userbyid(relowner) from pg_class c join pg_namespace n"
        " on n.oid = relnamespace where nspname in ('col', 'gacl') and relname in"
        " ('t', 't_i_seq', 'v', 'r') union select pg_get_userbyid(proowner) from pg_proc"
        " where proname = 'f'",
    )
    assert owners == [("lab owner",)]


def test_a_script_for_psql_gives_the_same(
    database: Address, server18: Server, site: Path, tmp_path: Path
) -> None:
    script = "set search_path = col;\ncreate table t (i int);\nalter table t owner to collec;\n"
    go(database, script)
    with server18.database() as other:
        chain.upgrade(other, HEAD, **chain.under(NAMES))
        written = chain.offline(f"{HEAD}:27.0", **chain.under(NAMES))
        server18.psql(written, other.dbname)
        assert not compare(
            expected=chain.catalog(database, NAMES), observed=chain.catalog(other, NAMES)
        )
