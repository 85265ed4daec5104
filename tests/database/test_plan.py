"""A plan tells what a run would do and what is in its way, and touches nothing."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg2
import pytest

from collec_migrations import sql, versions
from collec_migrations.errors import (
    ExtensionMissing,
    MigrationError,
    NotAdopted,
    NotPossible,
    UnknownVersion,
)
from collec_migrations.migrate import environment, lock_facts, up_to_date, verbs
from collec_migrations.migrate import plan as plans
from collec_migrations.migrate.planned import Plan
from collec_migrations.postgres import connection as database
from collec_migrations.postgres.address import Address
from tests import chain
from tests.conftest import Clone
from tests.servers import Server

FILLED = """
insert into col.metadata_set (metadata_set_name) values ('soil'), ('water');
insert into col.sample_type (sample_type_name, metadata_set_id)
    select 'core', metadata_set_id from col.metadata_set where metadata_set_name = 'soil';
analyze;
"""
HELD = """
select distinct l.mode from pg_locks l join pg_stat_activity a using (pid)
where a.application_name = 'collec-migrations' and l.locktype = 'relation'
"""
PASSWORD = "a secret of the tests"


def plan(address: Address, version: str = "head", **options: str) -> Plan:
    """Return the plan for a database."""
    return verbs.plan({"url": address.url, **options}, version, say=lambda _: None)


@pytest.fixture
def old(server18: Server, clone: Clone) -> Address:
    """Return a database at 1.0.8."""
    return clone(chain.template_at(server18, "1.0.8"))


@pytest.fixture
def role(server18: Server) -> Iterator[str]:
    """Return an ordinary role that may connect."""
    server18.create_role("plain", PASSWORD)
    yield "plain"
    chain.execute(server18.address, "drop role plain")


def test_plan_of_an_upgrade_tells_versions_scripts_and_locks(old: Address) -> None:
    (pair,) = plan(old, "1.1").pairs
    assert (pair.recorded, pair.target) == ("1.0.8", "1.1")
    ((step,),) = [pair.steps]
    assert (step.version, step.kind) == ("1.1", "upgrade")
    assert [(s.script, s.part) for s in step.scripts] == [
        ("legacy_sql/upgrade-1.0.8-1.1.sql", "all")
    ]
    locked = {
        (lock.table, lock.mode)
        for statement in step.scripts[0].statements
        for lock in statement.locks or ()
    }
    assert ("col.storage", "access exclusive") in locked
    assert not any(lock.rewrites for s in step.scripts[0].statements for lock in s.locks or ())


def test_plan_of_an_empty_database_starts_from_the_newest_creation(database: Address) -> None:
    (pair,) = plan(database).pairs
    assert [(step.version, step.kind) for step in pair.steps] == [(chain.HEAD, "create")]
    assert pair.recorded is None


def test_plan_counts_what_would_be_archived(old: Address) -> None:
    chain.execute(old, FILLED)
    (pair,) = plan(old, "1.1").pairs
    counted = {(item.table, item.column): item.rows for item in pair.archived}
    assert counted["col.metadata_set", None] == 2
    assert counted["col.sample_type", "metadata_set_id"] == 1
    assert counted["col.sample_type", "metadata_set_id_second"] == 0
    assert counted["col.sample_metadata", None] == 0


def test_plan_names_what_the_site_has_on_what_a_step_removes(old: Address) -> None:
    chain.execute(
        old,
        "create schema own; create view own.sets as select metadata_set_id from col.sample_type;"
        " create view own.harmless as select sample_type_name from col.sample_type;"
        " create table own.notes (id integer references col.metadata_set)",
    )
    told = [one.message for one in plan(old, "1.1").obstacles]
    assert told == [
        "the foreign key notes_id_fkey on own.notes refers to col.metadata_set,"
        " which version 1.1 does not have",
        "the view own.sets refers to col.sample_type.metadata_set_id,"
        " which version 1.1 does not have",
    ]
    with pytest.raises(NotPossible, match=r"own\.sets refers to"):
        chain.upgrade(old, "1.1")
    dropped = [one for one in plan(old, "1.1", drop_dependents="yes").obstacles if not one.certain]
    assert [one.message.endswith(": it will be dropped") for one in dropped] == [True, True]


def test_plan_tells_sizes(old: Address) -> None:
    chain.execute(old, FILLED)
    sizes = {
        lock.table: (lock.rows or 0, lock.bytes)
        for script in plan(old, "1.1").pairs[0].steps[0].scripts
        for statement in script.statements
        for lock in statement.locks or ()
    }
    assert sizes["col.metadata_set"][0] == 2
    assert sizes["col.metadata_set"][1] > 8000


def test_plan_of_a_database_at_the_target_is_empty(server18: Server, clone: Clone) -> None:
    assert plan(clone(chain.template_at(server18, chain.HEAD))).is_empty


def test_plan_refuses_what_an_upgrade_refuses(old: Address) -> None:
    chain.execute(old, "drop table col.alembic_version")
    with pytest.raises(NotAdopted):
        plan(old)


def test_plan_refuses_what_is_no_version(old: Address) -> None:
    with pytest.raises(UnknownVersion):
        plan(old, "1.0.7")


def test_plan_knows_several_data_schemas(old: Address) -> None:
    first, second = plan(old, col="col,lab_b").pairs
    assert [step.version for step in first.steps][:2] == ["1.1", "1.2"]
    assert [(step.version, step.kind) for step in second.steps] == [(chain.HEAD, "create")]
    assert [script.script for script in second.steps[0].scripts] == [
        f"legacy_sql/col_create-{chain.HEAD}.sql"
    ]


def test_plan_takes_no_lock_stronger_than_access_share(old: Address) -> None:
    chain.execute(old, FILLED)
    job = verbs.upgrade_job(
        environment.alembic_config({"url": old.url}, say=lambda _: None), "head"
    )
    assert job.settings.address is not None
    with (
        closing(database.connect(job.settings.address)) as connection,
        up_to_date.reading(connection, job.settings) as cursor,
    ):
        (pair,) = plans.survey(job, cursor).pairs
        held = {row[0] for row in chain.query(old, HELD)}
        cursor.execute("show transaction_read_only")
        read_only = cursor.fetchone()

    assert any(item.rows for item in pair.archived)
    assert held == {"AccessShareLock"}
    assert read_only == ("on",)


def test_plan_changes_nothing(old: Address) -> None:
    before = chain.query(old, "select xmin::text, * from pg_class order by oid")
    plan(old)
    assert chain.query(old, "select xmin::text, * from pg_class order by oid") == before


def as_role(server: Server, role: str, address: Address) -> str:
    """Return the address of a database for an ordinary role."""
    return server.tcp_url(role, PASSWORD, address.dbname)


def obstacles(url: str, version: str = "head") -> list[str]:
    """Return the obstacles that are certain."""
    found = verbs.plan({"url": url}, version, say=lambda _: None).obstacles
    return [item.message for item in found if item.certain]


@pytest.fixture
def visitor(server18: Server, role: str, old: Address) -> Iterator[str]:
    """Return the address of the database for a role that may only read it."""
    chain.execute(
        old,
        f"grant usage on schema gacl, col to {role};"
        f"grant select on all tables in schema gacl, col to {role}",
    )
    yield as_role(server18, role, old)
    chain.execute(old, f"drop owned by {role}")


def test_a_role_with_too_few_rights_is_told_all_obstacles(visitor: str) -> None:
    found = obstacles(visitor)
    assert "role 'plain' may not create objects in schema 'col'" in found
    assert "new objects of schema 'col' belong to 'super', of which 'plain' is not a member" in (
        found
    )
    assert "table col.storage belongs to 'super', and 'plain' may not change it" in found


def test_a_real_run_is_refused_before_anything_is_touched(visitor: str, old: Address) -> None:
    before = chain.catalog(old)
    with pytest.raises(NotPossible, match=r"col\.storage") as refused:
        verbs.upgrade({"url": visitor}, "head", say=lambda _: None)
    assert refused.value.exit_status == 3
    assert "superuser" in refused.value.hint
    assert chain.catalog(old) == before


def test_the_owner_meets_no_obstacle(server18: Server, role: str, database: Address) -> None:
    chain.execute(database, f'grant create on database "{database.dbname}" to {role}')
    url = as_role(server18, role, database)
    said: list[str] = []
    verbs.upgrade({"url": url}, "1.0.8", say=said.append)
    assert obstacles(url) == []
    assert verbs.upgrade({"url": url}, "head", say=said.append) == {"col": chain.HEAD}


def test_one_table_of_another_owner_is_named(
    server18: Server, role: str, database: Address
) -> None:
    chain.execute(database, f'grant create on database "{database.dbname}" to {role}')
    url = as_role(server18, role, database)
    verbs.upgrade({"url": url}, "1.0.8", say=lambda _: None)
    chain.execute(database, "alter table col.storage owner to super")
    assert obstacles(url) == ["table col.storage belongs to 'super', and 'plain' may not change it"]


def test_a_role_that_may_not_create_schemas_is_told(
    server18: Server, role: str, database: Address
) -> None:
    assert obstacles(as_role(server18, role, database), "1.1") == [
        "role 'plain' may not create schema 'col' and schema 'gacl'"
        f" in database {database.dbname!r}"
    ]


def test_read_only_transactions_are_told_to_a_superuser_too(old: Address) -> None:
    chain.execute(old, f'alter database "{old.dbname}" set default_transaction_read_only = on')
    assert obstacles(old.url) == ["transactions are read-only here (default_transaction_read_only)"]
    with pytest.raises(MigrationError, match="read-only here"):
        chain.upgrade(old)


def test_no_obstacle_where_there_is_nothing_to_do(
    server18: Server, role: str, clone: Clone
) -> None:
    new = clone(chain.template_at(server18, chain.HEAD))
    chain.execute(
        new,
        f"grant usage on schema gacl, col to {role};"
        f"grant select on all tables in schema gacl, col to {role}",
    )
    url = as_role(server18, role, replace(new))
    assert obstacles(url) == []
    chain.execute(new, f"drop owned by {role}")


def test_a_part_of_a_script_keeps_its_lines(old: Address) -> None:
    chain.upgrade(old, "head", col="lab_b")
    whole = {s.text: s.line for s in sql.split(versions.load("upgrade-1.0.8-1.1.sql").text)}
    (step,) = plan(old, "1.1").pairs[0].steps
    (script,) = step.scripts
    assert script.part == "col"
    assert 0 < len(script.statements) < len(whole)
    assert {s.text: s.line for s in script.statements}.items() <= whole.items()


@pytest.mark.parametrize("mode", lock_facts.MODES)
def test_whom_a_lock_blocks_is_what_the_server_blocks(old: Address, mode: str) -> None:
    kept_out = []
    for who, needed in (("readers", "access share"), ("writers", "row exclusive")):
        with chain.connected(old) as holder, chain.connected(old) as other:
            holder.cursor().execute(f"lock table col.sample in {mode} mode")
            try:
                other.cursor().execute(f"lock table col.sample in {needed} mode nowait")
            except psycopg2.errors.LockNotAvailable:
                kept_out.append(who)
    assert lock_facts.blocks(mode) == " and ".join(kept_out)


def test_a_database_that_lives_without_postgis_goes_on_without_it(
    server18: Server, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_it, without = (clone(chain.template_at(server18, version)) for version in ("2.3", "2.8"))
    monkeypatch.delenv("COLLEC_WITHOUT_POSTGIS")
    with pytest.raises(ExtensionMissing, match="postgis"):
        chain.upgrade(with_it, "2.4")
    assert plan(without).obstacles == ()
    chain.upgrade(without)
    assert chain.catalog(without) == chain.known(chain.HEAD)


def test_plan_warns_of_names_that_the_application_has_in_its_code(database: Address) -> None:
    def told(version: str, **names: str) -> list[str]:
        found = plan(database, version, instance_code="a", instance_title="b", **names).obstacles
        assert [one for one in found if one.certain] == []
        return [one.message for one in found]

    assert told("2.8") == []
    assert told("2.4", col="lab") == []
    assert told("2.8", col="lab", gacl="rights") == [
        "the application for 2.8 names col.document itself, but the schema is 'lab'",
        "the application for 2.8 names gacl.aclgroup itself, but the schema is 'rights'",
    ]
    assert len(told("26.2", col="lab", gacl="rights")) == 1
