"""What a step removes is kept: by facts, at the cost that it must have, and nothing without it."""

import psycopg2
import pytest

from collec_migrations.catalog import compare
from collec_migrations.errors import DowngradeRefused, NotPossible, RowsRefused, StatementFailed
from collec_migrations.postgres.address import Address
from tests import chain
from tests.conftest import Clone
from tests.servers import Server

ARCHIVES = "select nspname from pg_namespace where nspname like '%archive%'"
KEPT = "select kind, source, rows from col_archive.collec_archive order by 1, 2"


@pytest.fixture
def address(server18: Server, clone: Clone) -> Address:
    """Return a database that was installed at 26.2."""
    return clone(server18.template("installed", chain.upgrade))


def test_a_step_that_removes_nothing_makes_no_archive(database: Address) -> None:
    chain.upgrade(database, "1.1")
    chain.upgrade(database, "1.2")
    assert chain.query(database, ARCHIVES) == []


def test_an_archive_whose_rows_came_back_is_gone(address: Address) -> None:
    chain.execute(address, "insert into col.operation (protocol_id, operation_name, operation_code)"
        " select null, 'cut', 'C1' where false; insert into col.protocol (protocol_name)"
        " values ('p'); insert into col.operation (protocol_id, operation_name, operation_code)"
        " select protocol_id, 'cut', 'C1' from col.protocol")  # fmt: skip
    chain.downgrade(address, "26.1")
    assert ("columns", "operation", 1) in chain.query(address, KEPT)
    chain.upgrade(address, "26.2")
    code = "select operation_code from col.operation"
    assert chain.query(address, code) == [("C1",)]
    assert not {"operation"} & {source for _, source, _ in kept_of(address)}


def kept_of(address: Address) -> list[tuple[object, ...]]:
    if not chain.query(address, "select to_regclass('col_archive.collec_archive')")[0][0]:
        return []
    return chain.query(address, KEPT)


def test_rows_whose_parent_is_gone_stay_and_are_told(address: Address) -> None:
    chain.execute(address, "insert into col.object (identifier) values ('a'), ('b');"
        " insert into col.collection (collection_name) values ('c');"
        " insert into col.sample_type (sample_type_name) values ('t');"
        " insert into col.sample (uid, collection_id, sample_type_id, sample_creation_date)"
        " select uid, collection_id, sample_type_id, now()"
        " from col.object, col.collection, col.sample_type;"
        " insert into col.samplehisto (samplehisto_login, sample_id)"
        " select 'me', sample_id from col.sample")  # fmt: skip
    chain.downgrade(address, "26.0")
    chain.execute(address, "delete from col.sample where sample_id = (select max(sample_id)"
        " from col.sample)")  # fmt: skip
    said = chain.upgrade(address, "26.1")
    assert chain.query(address, "select count(*) from col.samplehisto") == [(1,)]
    assert ("table", "samplehisto", 1) in kept_of(address)
    assert any("1 rows stay in the archive col_archive.samplehisto" in line for line in said)


def test_forced_row_security_hides_no_rows(address: Address) -> None:
    chain.execute(address, "insert into col.risk (risk_name) values ('fire');"
        " alter table col.risk enable row level security;"
        " alter table col.risk force row level security;")  # fmt: skip
    chain.downgrade(address, "26.0")
    assert chain.query(address, "select risk_name from col_archive.risk") == [("fire",)]


def test_a_view_of_the_sites_own_stops_the_step(address: Address) -> None:
    chain.execute(address, "insert into col.risk (risk_name) values ('fire');"
        " create schema own; create view own.risks as select * from col.risk")  # fmt: skip
    with pytest.raises(DowngradeRefused, match=r"view own\.risks"):
        chain.downgrade(address, "26.0")
    assert chain.query(address, ARCHIVES) == []
    assert chain.query(address, "select risk_name from own.risks") == [("fire",)]


def test_a_publication_for_all_tables_goes_back_and_forth(address: Address) -> None:
    chain.downgrade(address, "26.1")  # the step to 26.2 touches tables that have no key
    chain.execute(address, "create publication everything for all tables;"
        " insert into col.risk (risk_name) values ('fire')")  # fmt: skip
    chain.downgrade(address, "26.0")
    chain.upgrade(address, "26.1")
    assert chain.query(address, "select risk_name from col.risk") == [("fire",)]


def test_a_script_that_fails_leaves_no_archive(address: Address) -> None:
    chain.execute(address, "insert into col.risk (risk_name) values ('fire');"
        " alter table col.collection_sampletype"
        " rename constraint collection_sampletype_pk to x")  # fmt: skip
    with pytest.raises(StatementFailed, match="collection_sampletype_pk"):
        chain.downgrade(address, "26.0")
    assert chain.query(address, ARCHIVES) == []
    assert chain.query(address, "select risk_name from col.risk") == [("fire",)]


OWN_COLUMNS = """
    add column own_code col.code default 'x', add column own_list integer[],
    add column own_document jsonb, add column own_picture bytea,
    add column own_number integer generated always as identity,
    add column own_twice integer generated always as ({}_id * 2) stored
"""
OWN_VALUES = "own_code, own_list, own_document, own_picture, own_number, own_twice"


def test_tables_and_columns_of_the_sites_own_beside_the_application_stay(address: Address) -> None:
    chain.execute(
        address,
        f"""
        create domain col.code as text check (value <> '');
        create table col.own_parent (id integer generated always as identity primary key,
            twice integer generated always as (2) stored, code col.code, list integer[],
            document jsonb, picture bytea, risk_id integer);
        create table col.own_child () inherits (col.own_parent);
        create table col.own_parts (id integer) partition by range (id);
        create table col.own_part partition of col.own_parts for values from (0) to (9);
        insert into col.own_parent (code, list, document, picture)
            values ('a', '{{1}}', '{{"a": 1}}', '\\x00');
        insert into col.own_parts values (1);
        alter table col.collection {OWN_COLUMNS.format("collection")};
        insert into col.collection (collection_name, own_list, own_document, own_picture)
            values ('c', '{{1,null}}', '{{"a": [1]}}', '\\x00ff');
        alter table col.risk {OWN_COLUMNS.format("risk")};
        insert into col.risk (risk_name, own_list, own_document, own_picture)
            values ('c', '{{1,null}}', '{{"a": [1]}}', '\\x00ff');
        """,
    )
    own = f"""
        select * from col.own_parent, col.own_parts,
            (select {OWN_VALUES} from col.collection) as one,
            (select {OWN_VALUES} from col.risk) as other
    """
    before = chain.query(address, own)
    assert len(before) == 1
    chain.downgrade(address, "2.4")  # the table risk goes to the archive
    said = chain.upgrade(address)
    assert chain.query(address, own) == before
    assert any("col.risk.own_number" in line for line in said)


def test_duplicates_for_a_new_key_are_told_first(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "2.4"))
    chain.execute(address, "insert into col.collection (collection_name) values ('a'), ('a')")
    with pytest.raises(RowsRefused, match=r"collection holds the same collection_name .* 'a'"):
        chain.upgrade(address)


def test_a_key_that_a_script_may_leave_out_is_told_and_does_not_stop(address: Address) -> None:
    chain.downgrade(address, "24.0")
    chain.execute(address, "insert into col.referent (referent_name, referent_firstname)"
        " values ('A', 'x'), ('A', 'y')")  # fmt: skip
    said = chain.upgrade(address)
    assert any("referents of the same name" in line for line in said)
    drift = compare(expected=chain.known(chain.HEAD), observed=chain.catalog(address))
    assert [fact.name for fact in drift.missing] == ["referent_referent_name_idx"]
    assert not drift.extra


TEXTS = (
    "select container_type_name, clp_classification, storage_product from col.container_type"
    " order by 1"
)


def test_texts_that_became_rows_come_back_as_they_were(address: Address) -> None:
    chain.downgrade(address, "26.0")
    chain.execute(address, "insert into col.container_type (container_type_name,"
        " container_family_id, clp_classification)"
        " select name, (select min(container_family_id) from col.container_family), risk"
        " from (values ('a', 'H225 '), ('b', ''), ('c', null), ('d', 'H300'), ('e', ' H301'))"
        " as given (name, risk);"
        " update col.container_type set storage_product = 'alcohol '"
        " where container_type_name = 'a'"
    )  # fmt: skip
    before = chain.query(address, TEXTS)
    assert ("e", " H301", None) in before
    chain.upgrade(address, "26.1")
    chain.downgrade(address, "26.0")
    assert chain.query(address, TEXTS) == before
    chain.upgrade(address, "26.1")
    chain.execute(address, "update col.risk set risk_name = 'H302' where risk_name = 'H301'")
    chain.downgrade(address, "26.0")
    assert chain.query(address, TEXTS) == [
        tuple("H302" if value == " H301" else value for value in row) for row in before
    ]


def test_what_goes_to_the_archive_by_hand_is_a_plain_table(address: Address) -> None:
    chain.execute(address, "insert into col.risk (risk_name) values ('fire')")
    chain.downgrade(address, "26.0")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        chain.execute(address, "insert into col_archive.risk select * from col_archive.risk")


OWN = """
    create schema own;
    create role reader_of_own;
    create view own.risks with (security_barrier = true) as select risk_id, risk_name from col.risk;
    grant select on own.risks to reader_of_own;
    comment on view own.risks is 'the laboratory''s';
    create materialized view own.names as select risk_name from own.risks;
    create unique index names_idx on own.names (risk_name);
    create function own.first() returns own.risks language sql as 'select * from own.risks limit 1';
    create table own.notes (risk_id integer references col.risk on delete cascade, note text);
    insert into col.risk (risk_name) values ('fire');
    insert into own.notes select risk_id, 'hot' from col.risk;
    create policy own on col.sample_type for select using (sample_type_id > 0 or
        exists (select 1 from col.risk));
"""
AS_IT_IS = """
    select pg_get_viewdef(v.oid), reloptions::text, relacl::text, obj_description(v.oid)
    from pg_class v where oid in ('own.risks'::regclass, 'own.names'::regclass)
    union all
    select pg_get_constraintdef(oid), conname, null, null from pg_constraint
    where conrelid = 'own.notes'::regclass and contype = 'f'
    union all
    select pg_get_indexdef('own.names_idx'::regclass), null, null, null
    union all
    select pg_get_expr(polqual, polrelid), polname, polcmd::text, polroles::text from pg_policy
    union all
    select pg_get_functiondef('own.first'::regproc), null, null, null
    order by 1, 2
"""


def test_objects_of_the_site_are_dropped_where_that_is_allowed_and_can_be_made_again(
    address: Address,
) -> None:
    chain.execute(address, OWN)
    before = chain.query(address, AS_IT_IS)
    names = (
        *("materialized view own.names", "view own.risks", "foreign key notes_risk_id_fkey"),
        *("function own.first()", "policy own on col.sample_type"),
    )
    with pytest.raises(DowngradeRefused) as refused:
        chain.downgrade(address, "26.0")
    assert [name for name in names if name not in str(refused.value)] == []
    assert "nothing was touched" in str(refused.value)
    said = chain.downgrade(address, "26.0", drop_dependents="yes")
    told = [line for line in said if line.startswith("dropped the ")]
    assert [name for name in names if not any(name in line for line in told)] == []
    assert chain.query(address, "select note from own.notes") == [("hot",)]
    assert ("statements", "objects of the site", 5) in kept_of(address)
    chain.upgrade(address)
    again = chain.query(
        address, "select statements from col_archive.dropped_objects order by dropped_object_id"
    )
    for (statements,) in again:
        chain.execute(address, str(statements))
    assert chain.query(address, AS_IT_IS) == before


def test_a_table_that_inherits_is_never_dropped(address: Address) -> None:
    chain.execute(address, "create table col.own_risk () inherits (col.risk)")
    with pytest.raises(DowngradeRefused, match=r"col\.own_risk refers to col\.risk") as refused:
        chain.downgrade(address, "26.0", drop_dependents="yes")
    assert "--drop-dependents" not in refused.value.hint


def test_an_upgrade_by_a_superuser_is_refused_by_name_too(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "2.3"))
    chain.execute(
        address, "create schema own; create view own.logins as select login from gacl.logingestion"
    )
    for version in ("2.4", "head"):
        with pytest.raises(NotPossible, match=r"own\.logins .*\.login, whose type changes"):
            chain.upgrade(address, version)
    chain.upgrade(address, "2.4", drop_dependents="yes")
    assert chain.query(address, "select object from col_archive.dropped_objects") == [
        ("view own.logins",)
    ]
