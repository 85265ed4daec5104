"""What statements lock, as far as it needs no server: versions, doubt and dynamic SQL."""

from pathlib import Path

import pytest

from collec_migrations import locks, sql, versions
from collec_migrations.locks import ForeignKey, Mode, Relation, World

SCRIPTS = sorted(versions.scripts_folder().glob("*.sql"))
VOLATILE = frozenset({"random", "nextval", "setval"})


def world(version: int = 150000) -> World:
    """Return a world of two tables tied by a key, with a view, a sequence and an index."""
    made = World(version=version, volatile=VOLATILE)
    box = Relation(schema="col", name="box", columns={"box_id": "int4", "code": "varchar(5)"})
    cup = Relation(schema="col", name="cup", columns={"cup_id": "int4", "box_id": "int4"})
    seq = Relation(schema="col", name="box_seq", kind="sequence", on=box, on_column="box_id")
    view = Relation(schema="col", name="cups", kind="view", uses=(cup, box))
    index = Relation(schema="col", name="cup_idx", kind="index", on=cup)
    for relation in (box, cup, seq, view, index):
        made.add(relation)
    made.keys.append(
        ForeignKey(
            name="cup_box_fk",
            table=cup,
            columns=("box_id",),
            referenced=box,
            referenced_columns=("box_id",),
        )
    )
    return made


def told(sql: str, version: int = 150000) -> dict[str, str]:
    """Return mode and remarks for each relation; the certain one after the doubtful one."""
    found: dict[str, str] = {}
    for lock in reversed(locks.effects(world(version), sql).locks):
        remarks = (" rewrites" * lock.rewrites) + (" scans" * lock.scans)
        doubt = "" if lock.certain else " perhaps"
        found[lock.relation.name + doubt] = lock.mode.text + remarks
    return found


@pytest.mark.parametrize(
    ("version", "expected"),
    [(90400, "access exclusive rewrites"), (100000, "access exclusive rewrites"),
     (110000, "access exclusive")],
)  # fmt: skip
def test_a_constant_default_rewrites_before_11(version: int, expected: str) -> None:
    sql = "alter table col.box add column n integer not null default 1"
    assert told(sql, version) == {"box": expected}


@pytest.mark.parametrize(
    ("version", "expected"), [(90400, "access exclusive"), (90500, "share row exclusive")]
)
def test_a_foreign_key_locks_both_sides(version: int, expected: str) -> None:
    sql = "alter table col.cup add foreign key (cup_id) references col.box"
    assert told(sql, version) == {"cup": f"{expected} scans", "box": expected}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        pytest.param(
            "alter table col.box alter code type varchar(9)", "access exclusive", id="wider"
        ),
        pytest.param("alter table col.box alter code type text", "access exclusive", id="text"),
        pytest.param(
            "alter table col.box alter code type varchar(3)",
            "access exclusive rewrites",
            id="narrower",
        ),
        pytest.param(
            "alter table col.box alter code type varchar(9) using lower(code)",
            "access exclusive rewrites",
            id="using",
        ),
        pytest.param(
            "alter table col.box add r float default random()",
            "access exclusive rewrites",
            id="volatile",
        ),
        pytest.param(
            "alter table col.box add t timestamp default now()", "access exclusive", id="stable"
        ),
        pytest.param(
            "alter table col.box alter code set not null", "access exclusive scans", id="not null"
        ),
        pytest.param("create index on col.box (code)", "share scans", id="index"),
        pytest.param(
            "create index concurrently on col.box (code)",
            "share update exclusive scans",
            id="concurrently",
        ),
    ],
)
def test_cost_of_a_change(sql: str, expected: str) -> None:
    assert told(sql)["box"] == expected


def test_dropping_a_table_locks_what_its_keys_refer_to() -> None:
    assert told("drop table col.cup cascade") == {
        "cup": "access exclusive",
        "cups": "access exclusive",
        "box": "access exclusive",
    }


def test_a_branch_is_only_perhaps_and_its_condition_certain() -> None:
    sql = """do $$ begin
        if exists (select 1 from col.box) then alter table col.cup add x integer; end if;
    end $$"""
    assert told(sql) == {"box": "access share", "cup perhaps": "access exclusive"}


def test_what_follows_a_conditional_return_is_only_perhaps() -> None:
    sql = """do $$ begin
        if exists (select 1 from col.box) then return; end if;
        alter table col.cup add x integer;
    end $$"""
    assert told(sql) == {"box": "access share", "cup perhaps": "access exclusive"}


def test_literal_dynamic_sql_is_certain() -> None:
    sql = "do $$ begin execute 'alter table col.cup add x integer'; end $$"
    assert told(sql) == {"cup": "access exclusive"}


def test_a_loop_over_named_relations_means_these() -> None:
    sql = """do $$ declare k record; begin
        for k in select conname, conrelid::regclass as t from pg_constraint
                 where conrelid in (to_regclass('col.cup'), to_regclass('col.gone'))
        loop execute format('alter table %s drop constraint %I', k.t, k.conname); end loop;
    end $$"""
    assert told(sql) == {"cup perhaps": "access exclusive", "box perhaps": "access exclusive"}


def test_dynamic_sql_without_a_clue_may_lock_any_table() -> None:
    sql = "do $$ declare t text; begin execute 'drop table ' || t; end $$"
    assert told(sql) == {"some table perhaps": "access exclusive"}


def test_what_the_run_makes_is_not_reported() -> None:
    sql = "create table col.new (a integer); alter table col.new add b integer"
    assert told(sql) == {}


def test_a_renamed_table_is_followed_under_its_first_name() -> None:
    made = world()
    locks.effects(made, "alter table col.box rename to crate")
    (lock,) = locks.effects(made, "alter table col.crate add n integer").locks
    assert (lock.relation.name, lock.mode) == ("box", Mode.ACCESS_EXCLUSIVE)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_script_can_be_followed(path: Path) -> None:
    for statement in sql.split(path.read_text("utf-8")):
        locks.effects(world(), statement.text)


def test_a_block_in_another_language_may_lock_any_table() -> None:
    assert told("do language plpython3u $$ plpy.execute(x) $$") == {
        "some table perhaps": "access exclusive"
    }


def test_removals_tell_tables_and_columns() -> None:
    sql = "alter table col.box drop column code; alter table col.cup set schema attic"
    found = locks.effects(world(), sql).removals
    assert [(item.relation.name, item.column, item.moved) for item in found] == [
        ("box", "code", False),
        ("cup", None, True),
    ]
