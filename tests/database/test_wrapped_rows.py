"""Rows that the code of a wrapped script changes are kept, and what the plan says of them."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from collec_migrations.errors import MigrationError
from collec_migrations.migrate import verbs
from collec_migrations.migrate.planned import Plan
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from collec_migrations.scripts import bind
from tests import chain, wrapping
from tests.servers import Server

NAMES = Names.parse(gacl="Droits X", col="lab-A")
UNDER = chain.under(NAMES)
FILL = """
create table col.a (a_id integer primary key, b varchar, c json);
insert into col.a values (1, 'b1', '{}'), (2, null, '[]'), (3, 'b3', null);
create table col.child (
    child_id integer primary key, a_id integer references col.a on delete cascade);
insert into col.child values (10, 1), (30, 3);
create table gacl.g (g_id integer primary key, x varchar);
insert into gacl.g values (1, 'x'), (2, 'y');
create table col.other (o integer);
insert into col.other values (1);
create function col.lose() returns integer language plpgsql as $$
begin delete from gacl.g where g_id = 2; return 1; end $$;
create function col.noted() returns trigger language plpgsql as $$
begin update col.other set o = o + 1; return null; end $$;
create trigger noted after delete on col.child for each row execute procedure col.noted();
"""
A, G, CHILD, OTHER = (
    f"{schema}.{table}_until_1_1_by_code"
    for schema, table in [("lab-A_archive", "a"), ("Droits X_archive", "g"),
                          ("lab-A_archive", "child"), ("lab-A_archive", "other")]
)  # fmt: skip
B1, B2, B3 = (1, "b1"), (2, None), (3, "b3")
KEPT = {
    "a block": (
        "do $$ begin update col.a set b = 'x' where a_id < 3; delete from gacl.g; end $$;",
        {A: [B1, B2], G: [(1, "x"), (2, "y")]},
    ),
    "dynamic SQL": (
        "do $$ begin execute 'delete from col.' || 'a' || ' where a_id = 2'; end $$;",
        {A: [B2]},
    ),
    "a function": ("select col.lose();", {G: [(2, "y")]}),
    "a function without a path": ("set search_path = col; select lose();", {G: [(2, "y")]}),
    "a foreign key and the trigger behind it": (
        "delete from col.a where a_id = 3;",
        {A.removesuffix("_by_code"): [B3], CHILD: [(30, 3)], OTHER: [(1,)]},
    ),
    "on conflict": (
        "insert into col.a (a_id, b) values (1, 'new'), (9, 'x')"
        " on conflict (a_id) do update set b = excluded.b;",
        {A: [B1]},
    ),
    "a writing CTE": (
        "with gone as (delete from col.a where a_id = 2 returning *)"
        " insert into gacl.g select a_id + 10, 'z' from gone;",
        {A: [B2]},
    ),
    "a truncation that cascades": (
        "do $$ begin truncate col.a cascade; end $$;",
        {A: [B1, B2, B3], CHILD: [(10, 1), (30, 3)]},
    ),
    "a loop, other columns in between": (
        "do $$ begin delete from col.a where a_id = 1; delete from col.a where a_id = 2;"
        " alter table col.a add column d int; delete from col.a; end $$;",
        {A: [B1, B2], f"{A}_2": [B3], CHILD: [(10, 1), (30, 3)], OTHER: [(1,), (2,)]},
    ),
    "nothing to keep": ("do $$ begin delete from col.a where a_id > 9; end $$;", {}),
    "a table that goes": (
        "do $$ begin delete from col.child; drop table col.child; end $$;",
        {CHILD: [(10, 1), (30, 3)], OTHER: [(1,), (2,)]},
    ),
}  # fmt: skip
MERGE = (
    "merge into col.a using (values (1), (3)) v (i) on a_id = i"
    " when matched and i = 1 then delete when matched then update set b = 'm';",
    {A: [B1], f"{A}_2": [B3], CHILD: [(10, 1)], OTHER: [(1,)]},
)


def prepared(address: Address) -> None:
    """Bring a database to 1.1 with the tables and rows from above."""
    chain.upgrade(address, "1.1", **UNDER)
    chain.execute(address, bind(FILL, NAMES.by_default_name))


@pytest.fixture
def database(server18: Server, clone: Callable[[str], Address]) -> Address:
    """Return a database at 1.1 with the tables and rows from above."""
    return clone(server18.template("wrapped_rows", prepared))


def named(scripts: Sequence[str]) -> dict[str, str]:
    """Return scripts by file names, for the versions 27.0, 27.1 and so on."""
    versions = ["1.1", *(f"27.{number}" for number in range(len(scripts)))]
    steps = zip(pairwise(versions), scripts, strict=True)
    return {f"col_alter_{old}-{new}.sql": text for (old, new), text in steps}


def go(address: Address, *scripts: str) -> list[str]:
    """Wrap scripts and upgrade to the last."""
    wrapping.wrapped(named(scripts))
    return chain.upgrade(address, **UNDER)


def kept(address: Address) -> dict[str, list[tuple[object, ...]]]:
    """Return the first two columns of every archived table, but of the history of versions."""
    found = chain.query(
        address,
        "select table_schema, table_name, least(count(*), 2) from information_schema.columns"
        " where table_schema ~ '_archive$' and table_name !~ 'dbversion' group by 1, 2",
    )
    return {
        f"{schema}.{table}": [
            row[: int(str(width))]
            for row in chain.query(address, f'select * from "{schema}".{table} order by 1')
        ]
        for schema, table, width in found
    }


def leftovers(address: Address) -> list[tuple[object, ...]]:
    return chain.query(
        address,
        "select tgname::text from pg_trigger where tgname ~ '^collec_kept' union all"
        " select proname from pg_proc where proname ~ '^collec_kept'",
    )


@pytest.mark.parametrize(("script", "expected"), KEPT.values(), ids=KEPT)
def test_rows_that_code_changes_are_kept(
    database: Address, site: Path, script: str, expected: dict[str, list[tuple[object, ...]]]
) -> None:
    go(database, script)
    assert kept(database) == expected
    assert leftovers(database) == []


def test_rows_are_kept_on_every_major(any_server: Server, site: Path) -> None:
    script, expected = MERGE
    with any_server.database() as address:
        prepared(address)
        go(address, script)
        assert kept(address) == expected
        asked = "select obj_description('\"lab-A_archive\".a_until_1_1_by_code'::regclass)"
        (comment,) = chain.query(address, asked)[0]
    assert str(comment).startswith("Archived by the upgrade 1.1 -> 27.0 on ")
    assert str(comment).endswith("col_alter_1.1-27.0.sql:1)")


def test_rows_are_kept_by_a_script_for_psql(
    database: Address, site: Path, server18: Server
) -> None:
    script, expected = KEPT["a block"]
    wrapping.wrapped({"col_alter_1.1-27.0.sql": script})
    server18.psql(chain.offline("1.1:27.0", **UNDER), database.dbname)
    assert kept(database) == expected


def planned(address: Address, *scripts: str) -> Plan:
    """Return the plan for scripts."""
    wrapping.wrapped(named(scripts))
    return verbs.plan({"url": address.url, **UNDER}, "head", say=lambda _: None)


def test_the_plan_counts_rows_that_are_deleted_or_overwritten(
    database: Address, site: Path
) -> None:
    plan = planned(
        database,
        "set search_path = gacl;\ndelete from g where x = 'y'; alter table col.child drop a_id;",
        "update col.a set b = 'x'; delete from col.not_yet;\ntruncate col.child;",
    )
    found = [
        (one.table, one.rows, one.what, one.place) for one in plan.pairs[0].archived if one.what
    ]
    assert found == [
        ("Droits X.g", 1, "rows deleted", "collec-versions/col_alter_1.1-27.0.sql:2"),
        ("lab-A.a", 2, "rows before they changed", "collec-versions/col_alter_27.0-27.1.sql:1"),
        ("not_yet", 0, "rows deleted", "collec-versions/col_alter_27.0-27.1.sql:1"),
        ("lab-A.child", 2, "rows deleted", "collec-versions/col_alter_27.0-27.1.sql:2"),
    ]


def test_the_plan_says_where_rows_cannot_be_counted(database: Address, site: Path) -> None:
    plan = planned(database, "select 1;\nselect col.lose();")
    (note,) = (note for note in plan.pairs[0].steps[0].notes if "archive" in note)
    assert note.startswith("collec-versions/col_alter_1.1-27.0.sql:2: rows that this deletes")


EARLY = {
    "a cast": ("alter type col.state add value 'x'; select 'x'::col.state;", True),
    "a default": (
        "alter type col.state add value 'x'; alter table col.a add s col.state default 'x';",
        True,
    ),
    "perhaps": ("alter type col.state add value 'x'; insert into col.a values (9, 'x');", False),
    "another value": ("alter type col.state add value 'x'; select 'y'::col.state;", None),
    "another type": ("alter type col.state add value 'x'; select 'x'::varchar;", False),
    "renamed": ("alter type col.state rename value 'y' to 'x'; select 'x'::col.state;", None),
}


@pytest.mark.parametrize(("script", "certain"), EARLY.values(), ids=EARLY)
def test_a_value_used_before_it_is_committed_is_foretold(
    database: Address, site: Path, script: str, certain: bool | None
) -> None:
    chain.execute(database, "create type \"lab-A\".state as enum ('y')")
    plan = planned(database, script)
    found = [(one.certain, one.message) for one in plan.obstacles]
    place = "collec-versions/col_alter_1.1-27.0.sql:1"
    message = (
        f"{place} uses the value 'x' that {place} adds to type state:"
        " PostgreSQL takes a new value only after it is committed"
    )
    assert found == ([] if certain is None else [(certain, message)])
    if not certain:
        chain.upgrade(database, **UNDER)
    else:
        with pytest.raises(MigrationError, match="unsafe use of new value"):
            chain.upgrade(database, **UNDER)


def test_a_value_may_be_used_by_a_version_that_is_committed_later(
    database: Address, site: Path
) -> None:
    chain.execute(database, "create type \"lab-A\".state as enum ('y')")
    plan = planned(database, "alter type col.state add value 'x';", "select 'x'::col.state;")
    assert [one.certain for one in plan.obstacles] == [True]
    options = {"url": database.url, **UNDER, "transaction": "per-version"}
    assert verbs.plan(options, "head", say=lambda _: None).obstacles == ()
    chain.upgrade(database, **UNDER, transaction="per-version")


EXTENSIONS = {
    "create extension pg_trgm;": "extension pg_trgm will be made, this role may make it ({place})",
    "create index i on col.a using gin (b gin_trgm_ops); create extension if not exists plpgsql;": (
        "extension plpgsql is there, in schema pg_catalog"
    ),
}


@pytest.mark.parametrize(("script", "expected"), EXTENSIONS.items(), ids=EXTENSIONS)
def test_the_plan_and_the_run_say_what_becomes_of_extensions(
    database: Address, site: Path, script: str, expected: str
) -> None:
    expected = expected.format(place="collec-versions/col_alter_1.1-27.0.sql:1")
    plan = planned(database, script)
    assert expected in plan.pairs[0].steps[0].notes
    if not plan.obstacles:
        assert expected in chain.upgrade(database, **UNDER)
