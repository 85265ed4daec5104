"""What a run of wrapped scripts keeps, puts back, binds and refuses."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collec_migrations import versions as known_chain
from collec_migrations.catalog import compare
from collec_migrations.errors import (
    DowngradeRefused,
    MigrationError,
    ScriptUnreadable,
    UnknownVersion,
)
from collec_migrations.migrate import verbs
from collec_migrations.migrate.extending import ExtensionMissing
from collec_migrations.migrate.wrapped_revision import ScriptChanged
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from tests import chain, wrapping
from tests.constructs import SCRIPTS
from tests.servers import Server

NAMES = Names.parse(gacl="Droits X", col="lab-A")
UNDER = chain.under(NAMES)


def go(address: Address, *scripts: str, names: Names = NAMES) -> list[str]:
    """Wrap scripts as versions 27.0, 27.1 ... and upgrade to the last."""
    versions = ["1.1", *(f"27.{number}" for number in range(len(scripts)))]
    wrapping.wrapped(
        {
            f"col_alter_{old}-{new}.sql": text
            for old, new, text in zip(versions, versions[1:], scripts, strict=False)
        }
    )
    return chain.upgrade(address, **chain.under(names))


def one(address: Address, sql: str) -> object:
    return chain.query(address, sql)[0][0]


FILL = """
create table col.a (a_id integer primary key, b varchar, c varchar);
insert into col.a values (1, 'b1', 'c1'), (2, null, 'c2'), (3, 'b3', null);
create table gacl.g (g_id integer primary key, x varchar);
insert into gacl.g values (1, 'x');
create table col.empty (e integer, f integer);
"""
KEPT = {
    "column": (
        "alter table col.a drop column b;",
        "lab-A_archive.a_until_27_0",
        [(1, "b1", "c1"), (3, "b3", None)],
    ),
    "table": (
        "set search_path = col; drop table a cascade;",
        "lab-A_archive.a_until_27_0",
        [(1, "b1", "c1"), (2, None, "c2"), (3, "b3", None)],
    ),
    "table of the rights": (
        "set search_path = gacl; drop table if exists g, not_there;",
        "Droits X_archive.g_until_27_0",
        [(1, "x")],
    ),
    "rows deleted": (
        "delete from col.a where c is null;",
        "lab-A_archive.a_until_27_0",
        [(3, "b3", None)],
    ),
    "all rows": ("truncate col.a;", "lab-A_archive.a_until_27_0", None),
    "rows rewritten": (
        "update col.a old set b = upper(old.b) from gacl.g where g_id = 1 and old.a_id > 1;",
        "lab-A_archive.a_until_27_0",
        [(3, "b3", None)],
    ),
    "column converted": (
        "alter table col.a alter column b type integer using length(b);",
        "lab-A_archive.a_until_27_0",
        [(1, "b1", "c1"), (3, "b3", None)],
    ),
    "twice": (
        "delete from col.a where a_id = 1; delete from col.a where a_id = 2;",
        "lab-A_archive.a_until_27_0_2",
        [(2, None, "c2")],
    ),
}


@pytest.mark.parametrize(("script", "archive", "rows"), KEPT.values(), ids=KEPT)
def test_nothing_is_lost(
    database: Address,
    site: Path,
    script: str,
    archive: str,
    rows: list[tuple[object, ...]] | None,
) -> None:
    go(database, FILL, script)
    schema, _, table = archive.partition(".")
    found = chain.query(database, f'select * from "{schema}".{table} order by 1')
    assert found == rows or (rows is None and len(found) == 3)
    (comment,) = chain.query(database, f"select obj_description('\"{schema}\".{table}'::regclass)")[
        0
    ]
    assert str(comment).startswith("Archived by the upgrade 27.0 -> 27.1 on ")
    assert "collec-versions/col_alter_27.0-27.1.sql:1" in str(comment)


EMPTY = {
    "column without values": "alter table col.empty drop column f;",
    "table without rows": "drop table col.empty;",
    "no row deleted": "delete from col.a where a_id > 9;",
    "only nulls overwritten": "update col.a set b = 'x' where b is null;",
    "column that is not there": "alter table col.a drop column if exists never;",
    "views": "create view col.v as select 1 as x; drop view col.v;",
}


@pytest.mark.parametrize("script", EMPTY.values(), ids=EMPTY)
def test_what_holds_nothing_makes_no_archive(database: Address, site: Path, script: str) -> None:
    go(database, FILL, script)
    assert chain.query(database, "select 1 from pg_namespace where nspname ~ '_archive$'") == []


def test_the_history_of_dbversion_is_kept(database: Address, site: Path) -> None:
    go(database, "set search_path = col;\ndelete from dbversion;\n")
    kept = 'select dbversion_number from "lab-A_archive".dbversion_until_1_1'
    assert chain.query(database, kept) == [("1.1",)]


SETTINGS = """
create table col.seen as
select current_setting('search_path') as path, current_setting('role') as role,
       current_setting('check_function_bodies') as bodies, current_setting('work_mem') as memory,
       current_setting('lock_timeout') as timeout, current_setting('xmloption') as xml;
"""


def test_the_session_is_put_back_after_every_script(database: Address, site: Path) -> None:
    go(
        database,
        "set search_path = public; set check_function_bodies = off; set work_mem = '1MB';"
        "set local xmloption = document; set lock_timeout = 0; set role pg_read_all_data;",
        SETTINGS,
    )
    (seen,) = chain.query(database, 'select * from "lab-A".seen')
    assert seen == ('"lab-A", "Droits X", public', "none", "on", "4MB", "5s", "content")


def test_a_script_without_a_path_finds_both_schemas(database: Address, site: Path) -> None:
    go(database, "create table t as select count(*) as n from aclgroup, sample;")
    assert one(database, 'select n from "lab-A".t') == 0


@pytest.fixture
def role(server18: Server) -> Iterator[str]:
    """Return a role that is no superuser and no owner of anything."""
    name = "labo"
    if not chain.query(
        replace(server18.address, dbname="postgres"),
        "select 1 from pg_roles where rolname = 'labo'",
    ):
        server18.create_role(name, "x")
    yield name
    chain.execute(server18.address, "drop owned by labo")


def test_the_account_of_the_scripts_is_the_owner_of_the_schemas(
    database: Address, site: Path, role: str
) -> None:
    chain.upgrade(database, "1.1", **UNDER)
    chain.execute(database, _given_to(role))
    go(database, OWNED)
    assert chain.query(database, OWNERS) == [(role,)] * 3


OWNED = (
    "create table col.t (i int); alter table col.t owner to collec;"
    "alter schema col owner to collec; create function col.f() returns int language sql"
    " as 'select 1'; alter function col.f() owner to collec; insert into col.t values (1);"
    "grant select on col.t to collec; comment on table col.t is 'collec';"
)
OWNERS = """select relowner::regrole::text from pg_class where relname = 't'
    union all select nspowner::regrole::text from pg_namespace where nspname = 'lab-A'
    union all select proowner::regrole::text from pg_proc where proname = 'f'"""


def test_a_script_for_psql_gives_to_the_owner_of_the_schema(
    database: Address, site: Path, role: str, server18: Server
) -> None:
    chain.upgrade(database, "1.1", **UNDER)
    chain.execute(database, _given_to(role))
    wrapping.wrapped({"upgrade-1.1-27.0.sql": OWNED})
    server18.psql(chain.offline("1.1:27.0", **UNDER), database.dbname)
    assert chain.query(database, OWNERS) == [(role,)] * 3
    assert chain.query(database, "select obj_description('\"lab-A\".t'::regclass)") == [("collec",)]


def _given_to(role: str) -> str:
    return f"""do $$ declare o text; begin
    for o in select format('alter table %s owner to {role}', oid::regclass) from pg_class
        where relkind in ('r', 'v') and relnamespace::regnamespace::text ~ '(lab-A|Droits X)'
    loop execute o; end loop;
    alter schema "lab-A" owner to {role}; alter schema "Droits X" owner to {role};
    end $$"""


def test_a_plain_role_that_owns_the_database_runs_every_construct(
    database: Address, site: Path, role: str, server18: Server
) -> None:
    wrapping.wrapped(SCRIPTS)
    wrapping.decide("leave")
    chain.execute(database, f'alter database "{database.dbname}" owner to {role}')
    url = server18.tcp_url(role, "x", database.dbname)
    chain.upgrade_at(url, **UNDER)
    assert one(database, 'select max(version_num) from "lab-A".alembic_version') == "27.15"
    owners = "select distinct tableowner from pg_tables where schemaname ~ '^(lab|Droits)'"
    assert chain.query(database, owners) == [(role,)]
    chain.execute(database, f"reassign owned by {role} to current_user")


def test_the_part_of_the_rights_runs_once_for_several_data_schemas(
    database: Address, site: Path
) -> None:
    wrapping.wrapped(
        {
            "col_alter_1.1-27.0.sql": "set search_path = gacl; create table g (i int);\n"
            "update gacl.aclgroup set groupe = groupe || '!' where groupe = 'admin';\n"
            "set search_path = col; create table c (i int);\n"
            "alter table col.c add column g int; insert into col.c values (1);\n",
        }
    )
    chain.upgrade(database, "1.1", gacl="rights", col="a,b")
    chain.upgrade(database, gacl="rights", col="a,b")
    assert one(database, "select count(*) from rights.aclgroup where groupe = 'admin!'") == 1
    assert one(database, "select (select count(*) from a.c) + (select count(*) from b.c)") == 2
    assert chain.query(database, "select version_num from b.alembic_version") == [("27.0",)]
    chain.upgrade(database, gacl="rights", col="a,b,c")
    assert one(database, "select count(*) from c.c") == 1
    assert one(database, "select max(version) from rights.migration_history") == "27.0"


def test_an_extension_that_cannot_be_had_is_told_before_anything_is_touched(
    database: Address, site: Path
) -> None:
    wrapping.wrapped({"upgrade-1.1-27.0.sql": "create table col.t ();\ncreate extension postgis;"})
    plan = verbs.plan({"url": database.url}, "head", say=lambda _: None)
    (obstacle,) = plan.obstacles
    assert obstacle.message == (
        "extension 'postgis' is needed at collec-versions/upgrade-1.1-27.0.sql:2"
        " and the server does not have it"
    )
    with pytest.raises(ExtensionMissing, match="nothing was applied"):
        chain.upgrade(database)


@pytest.mark.parametrize("home", ["public", "col", "ext ra"])
def test_operators_are_found_wherever_their_extension_is(
    database: Address, site: Path, home: str
) -> None:
    chain.upgrade(database, "1.1", **UNDER)
    chain.execute(
        database,
        f'create schema if not exists "{home}"; create extension pg_trgm schema "{home}"',
    )
    go(
        database,
        "set search_path = col; create extension pg_trgm;\n"
        "create index i on sample using gin (dbuid_origin gin_trgm_ops);",
        "create index j on col.sample using gin (dbuid_origin gin_trgm_ops);",
    )
    assert one(database, "select count(*) from pg_class where relname in ('i', 'j')") == 2


@pytest.mark.parametrize("target", ["-1", "1.1", "1.0.8", "base"])
@pytest.mark.parametrize("destroy", ["no", "yes"])
def test_a_step_back_is_refused_with_advice(
    database: Address, site: Path, target: str, destroy: str
) -> None:
    go(database, "create table col.t (); insert into col.project (project_name) values ('p');")
    options = {"url": database.url, "destroy": destroy, **UNDER}
    with pytest.raises(DowngradeRefused) as caught:
        verbs.downgrade(options, target, say=lambda _: None)
    assert "no way back from what col_alter_1.1-27.0.sql did" in str(caught.value)
    assert "backup" in caught.value.hint
    assert one(database, 'select version_num from "lab-A".alembic_version') == "27.0"


def test_a_script_that_changed_since_is_refused(database: Address, site: Path) -> None:
    wrapping.wrapped({"col_alter_1.1-27.0.sql": "create table col.t ();"})
    (wrapping.SITE / "col_alter_1.1-27.0.sql").write_text("create table col.u ();")
    with pytest.raises(ScriptChanged, match="the script changed since it was wrapped"):
        chain.upgrade(database)


def test_a_folder_without_the_wrapped_versions_is_told(database: Address, site: Path) -> None:
    go(database, "create table col.t ();")
    wrapping.SITE.rename("elsewhere")
    options = {"url": database.url, **UNDER}
    for run in (verbs.plan, verbs.upgrade):
        with pytest.raises(UnknownVersion, match=r"is at version 27\.0, which is not known here"):
            run(options, "head", say=lambda _: None)
    with pytest.raises(UnknownVersion, match="not known here: the newest is"):
        verbs.downgrade(options, "1.1", say=lambda _: None)


def test_differences_from_the_known_version_are_told(database: Address, site: Path) -> None:
    wrapping.wrapped({"col_alter_1.1-1.2.sql": "alter table col.sample drop column metadata;"})
    said = chain.upgrade(database)
    assert any("1.2 differs from the known 1.2: col: " in line for line in said)
    assert any("dbparam" in line for line in said)
    assert any("sample.metadata" in line for line in said)
    assert one(database, "select version_num from col.alembic_version") == "1.2"


def test_the_names_in_the_application_itself_are_told(database: Address, site: Path) -> None:
    said = go(database, "select 1;")
    (line,) = (line for line in said if "col.document" in line)
    assert "'lab-A'" in line


def test_a_failure_names_file_line_and_statement_and_rolls_everything_back(
    database: Address, site: Path
) -> None:
    wrapping.wrapped(
        {
            "upgrade-1.1-27.0.sql": "create table col.t ();\n\\ir more/part.sql\nselect 1;",
            "more/part.sql": "-- 1\nbegin;\nselect 1;\n\nalter table col.t\n add column x no;",
        }
    )
    with pytest.raises(MigrationError) as caught:
        chain.upgrade(database, **UNDER)
    assert 'collec-versions/part.sql:6: type "no" does not exist' in str(caught.value)
    assert chain.query(database, "select 1 from pg_namespace where nspname = 'lab-A'") == []


def test_a_doubt_stops_the_run_until_it_is_decided(database: Address, site: Path) -> None:
    script = "create table col.t as select x from (values ('col')) as v (x);"
    with pytest.raises(ScriptUnreadable, match=r"27\.0\.sql:1: 'col'"):
        go(database, script)
    wrapping.decide("bind")
    chain.upgrade(database, **UNDER)
    assert one(database, 'select x from "lab-A".t') == "lab-A"


def test_a_script_in_latin_1_arrives_as_it_was_meant(database: Address, site: Path) -> None:
    text = (
        "\tset client_encoding = 'LATIN1';\r\n"
        "create table col.t as select E'\\té\\'\r\n%s' as x;\r\n"
    )
    wrapping.wrapped({"col_alter_1.1-27.0.sql": text.encode("latin-1")})
    chain.upgrade(database)
    assert one(database, "select x from col.t") == "\té'\r\n%s"
    assert (wrapping.SITE / "col_alter_1.1-27.0.sql").read_bytes() == text.encode("latin-1")


def test_a_script_for_psql_gives_the_same_catalog(
    database: Address, site: Path, server18: Server
) -> None:
    wrapping.wrapped(SCRIPTS)
    wrapping.decide("leave")
    chain.upgrade(database, "1.1", **UNDER)
    server18.psql(chain.offline("1.1:head", **UNDER), database.dbname)
    by_psql = chain.catalog(database, NAMES)
    chain.execute(database, 'drop schema "lab-A", "Droits X", "lab-A_archive" cascade')
    chain.execute(database, "drop extension pg_trgm")
    chain.upgrade(database, **UNDER)
    assert not compare(expected=by_psql, observed=chain.catalog(database, NAMES))


def test_wrapped_versions_are_versions_that_can_be_adopted(site: Path) -> None:
    wrapping.wrapped({"col_alter_1.1-1.2.sql": "select 1;"})
    assert known_chain.in_chain()[-2:] == ("1.1", "1.2")
