"""Errata correct a script where it runs: every kind, told by the plan and kept in history."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from pglast import fingerprint

from collec_migrations.errors import MigrationError
from collec_migrations.migrate import verbs
from collec_migrations.migrate.asking import RowsInTheWay
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from tests import chain, wrapping

NAMES = Names.parse(gacl="Droits X", col="lab-A")

SCRIPT = """
set search_path = col;
create table crate (crate_id integer primary key, name varchar);
insert into crate values (1, 'a');
insert into crate values (2, 'b');
alter table crate add column size integer;
"""
WRONG = "insert into crate values (2, 'b')"
PRESENT = "select to_regclass('col.crate') is not null"
ABSENT = "select to_regclass('col.crate') is null"


def erratum(
    action: str,
    *sql: str,
    cond: str = "",
    statement: str = WRONG,
    line: int = 5,
    known: bool = True,
) -> str:
    """Return the errata of a site that has one."""
    stored = {
        "id": "X1",
        "script": "1.1-27.0",
        "line": line,
        "action": action,
        "sql": sql,
        "fingerprint": fingerprint(statement),
        "statement_sha256": sha256(statement.encode()).hexdigest()[:16] if known else "",
        "reason": "made up",
    }
    if cond:
        stored["cond"] = cond
    return json.dumps([stored])


def prepared(text: str, script: str = SCRIPT) -> None:
    """Wrap a script with these errata beside it."""
    wrapping.write(wrapping.SITE, {"errata.json": text})
    wrapping.wrapped({"col_alter_1.1-27.0.sql": script})


def crates(address: Address) -> list[tuple[object, ...]]:
    return chain.query(address, 'select crate_id, name from "lab-A".crate order by 1, 2')


def note(address: Address) -> object:
    rows = chain.query(
        address, "select note from \"lab-A\".migration_history where version = '27.0'"
    )
    return rows[0][0]


A, B, Z = (1, "a"), (2, "b"), (9, "z")
KINDS = {
    "skip": (("skip", (), ""), [A], "skipped"),
    "skip if it holds": (("skip_if", (), PRESENT), [A], "skipped"),
    "skip if it does not hold": (("skip_if", (), ABSENT), [A, B], "not needed"),
    "replace": (("replace", ("insert into col.crate values (9, 'z')",), ""), [A, Z], "replaced"),
    "before": (("before", ("insert into crate values (9, 'z')",), ""), [A, B, Z], "before"),
    "before if it holds": (
        ("before", ("insert into col.crate values (9, 'z')",), PRESENT),
        [A, B, Z],
        "before",
    ),
    "before if it does not hold": (
        ("before", ("insert into col.crate values (9, 'z')",), ABSENT),
        [A, B],
        "not needed",
    ),
    "after, in two statements": (
        ("after", ("delete from col.crate", "insert into col.crate values (9, 'z')"), ""),
        [Z],
        "after",
    ),
    "after if it does not hold": (("after", ("delete from crate",), ABSENT), [A, B], "not needed"),
    "warn without findings": (("warn", ("select 'x' where false",), ""), [A, B], ""),
    "abort without findings": (("abort", ("select 'x' where false",), ""), [A, B], ""),
}


@pytest.mark.parametrize(("kind", "expected", "outcome"), KINDS.values(), ids=KINDS)
def test_every_kind_of_erratum_under_other_names(
    database: Address,
    site: Path,
    kind: tuple[str, tuple[str, ...], str],
    expected: list[tuple[object, ...]],
    outcome: str,
) -> None:
    action, sql, condition = kind
    prepared(erratum(action, *sql, cond=condition))
    chain.upgrade(database, **chain.under(NAMES))
    assert crates(database) == expected
    assert note(database) == (f"errata: X1 {outcome}" if outcome else "")


@pytest.mark.parametrize(("kind", "expected", "outcome"), KINDS.values(), ids=KINDS)
def test_every_kind_of_erratum_in_a_script_for_psql(
    database: Address,
    site: Path,
    kind: tuple[str, tuple[str, ...], str],
    expected: list[tuple[object, ...]],
    outcome: str,
    server18: object,
) -> None:
    action, sql, condition = kind
    prepared(erratum(action, *sql, cond=condition))
    written = chain.offline("1.1:27.0", **chain.under(NAMES))
    chain.upgrade(database, "1.1", **chain.under(NAMES))
    server18.psql(written, database.dbname)  # type: ignore[attr-defined]  # tests.servers.Server
    assert crates(database) == expected


def test_the_text_decides_between_statements_of_one_fingerprint(
    database: Address, site: Path
) -> None:
    prepared(erratum("skip", line=4))
    chain.upgrade(database, **chain.under(NAMES))
    assert crates(database) == [A]


def test_the_line_decides_where_no_text_is_known(database: Address, site: Path) -> None:
    prepared(erratum("skip", line=4, known=False))
    chain.upgrade(database, **chain.under(NAMES))
    assert crates(database) == [B]


def test_an_erratum_that_could_be_about_two_statements_is_not_applied(
    database: Address, site: Path
) -> None:
    prepared(erratum("skip", line=400, known=False))
    chain.upgrade(database, **chain.under(NAMES))
    assert crates(database) == [A, B]


def test_an_erratum_of_an_older_variant_is_found_on_another_line(
    database: Address, site: Path
) -> None:
    statement = "alter table crate add column size integer"
    prepared(erratum("skip", statement=statement, line=400, known=False))
    chain.upgrade(database)
    assert chain.query(database, "select * from col.crate limit 0") == []
    columns = (
        "select attname from pg_attribute where attrelid = 'col.crate'::regclass and attnum > 0"
    )
    assert chain.query(database, columns) == [("crate_id",), ("name",)]


def test_an_erratum_of_another_step_is_left_alone(database: Address, site: Path) -> None:
    prepared(erratum("skip").replace("1.1-27.0", "26.1-26.2"))
    chain.upgrade(database, **chain.under(NAMES))
    assert crates(database) == [A, B]


def test_rows_in_the_way_stop_the_run_before_anything_is_touched(
    database: Address, site: Path
) -> None:
    prepared(erratum("abort", "select login from gacl.acllogin order by 1"))
    chain.upgrade(database, "1.1", **chain.under(NAMES))
    with pytest.raises(RowsInTheWay, match="X1: made up: admin; nothing was applied"):
        chain.upgrade(database, **chain.under(NAMES))
    assert chain.query(database, 'select version_num from "lab-A".alembic_version') == [("1.1",)]


def test_a_warning_does_not_stop_the_run(database: Address, site: Path) -> None:
    prepared(erratum("warn", "select login from gacl.acllogin order by 1"))
    said = chain.upgrade(database, **chain.under(NAMES))
    assert any("X1: made up: admin" in line for line in said)
    assert crates(database) == [A, B]


def test_a_question_about_what_is_not_there_yet_is_no_obstacle(
    database: Address, site: Path
) -> None:
    prepared(erratum("abort", "select name from col.crate"))
    chain.upgrade(database, **chain.under(NAMES))
    assert crates(database) == [A, B]


def test_the_plan_lists_errata_and_rows_in_the_way(database: Address, site: Path) -> None:
    prepared(erratum("abort", "select login from gacl.acllogin order by 1"))
    chain.upgrade(database, "1.1", **chain.under(NAMES))
    plan = verbs.plan({"url": database.url, **chain.under(NAMES)}, "head", say=lambda _: None)
    assert [item.message for item in plan.obstacles] == ["X1: made up: admin"]
    assert plan.pairs[0].steps[0].notes[0] == (
        "X1 abort at collec-versions/col_alter_1.1-27.0.sql:5: made up"
    )


CURES = {
    "nothing before": ("", True),
    "another table": ("update col.project set project_name = 'x'; select 1;", True),
    "the same table": ("update col.mime_type set extension = 'y' where false;", False),
    "a block": ("do $$ begin null; end $$;", False),
    "a function": ("select col.cure();", False),
    "an index that may be there": ("if not exists", False),
}


@pytest.mark.parametrize(("before", "certain"), CURES.values(), ids=CURES)
def test_the_plan_finds_rows_that_a_new_unique_index_refuses(
    database: Address, site: Path, before: str, certain: bool
) -> None:
    script = "create unique index twice on col.mime_type (lower(extension)) where extension <> 'x';"
    if before.startswith("if"):
        script, before = script.replace("index", f"index {before}"), ""
    script = before + script
    wrapping.wrapped({"upgrade-1.1-27.0.sql": script})
    chain.upgrade(database, "1.1", **chain.under(NAMES))
    chain.execute(
        database,
        'insert into "lab-A".mime_type (content_type, extension) values'
        " ('a', 'QQ'), ('b', 'qq'), ('c', 'x'), ('d', 'x')",
    )
    plan = verbs.plan({"url": database.url, **chain.under(NAMES)}, "head", say=lambda _: None)
    (obstacle,) = plan.obstacles
    assert obstacle.certain == certain
    assert obstacle.message.endswith("refuses: qq (2 times)")


def test_a_statement_that_fails_without_an_erratum_stops_the_run(
    database: Address, site: Path
) -> None:
    prepared("[]", SCRIPT + "\ninsert into crate\n  values (1, 'again');\n")
    with pytest.raises(MigrationError) as caught:
        chain.upgrade(database)
    assert str(caught.value).startswith(
        "collec-versions/col_alter_1.1-27.0.sql:8: duplicate key value violates"
    )
    assert chain.query(database, "select 1 from pg_namespace where nspname = 'col'") == []


def test_the_errata_of_the_package_are_whole() -> None:
    stored = json.loads(Path(wrapping.PACKAGED).read_text("utf-8"))
    assert len({one["id"] for one in stored}) == len(stored)
    assert {f"E{n:02}" for n in range(1, 27)} - {"E06", "E22"} <= {one["id"] for one in stored}
    assert all(one["reason"] for one in stored)
