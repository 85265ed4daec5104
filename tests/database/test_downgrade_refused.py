"""A step down that cannot keep what it meets is refused, in words that say what to do."""

from collections.abc import Iterator

import pytest

from collec_migrations.catalog import Catalog, compare
from collec_migrations.errors import DowngradeRefused, MigrationError
from collec_migrations.postgres.address import Address
from tests import chain
from tests.conftest import Clone
from tests.servers import Server

DEPENDENTS = {
    "view_on_a_column": (
        "create schema reports;"
        "create view reports.documents as select sample_id, metadata from col.sample",
        "view reports.documents refers to col.sample.metadata, which version 1.0.8 does not have",
    ),
    "view_on_a_table": (
        "create view col.queues as select printer_queue from col.printer",
        "view col.queues",
    ),
    "view_on_a_view": (
        "create view col.places as select uid, line_number from col.last_movement",
        "view col.places refers to col.last_movement, which is made anew",
    ),
    "foreign_key_of_an_own_table": (
        "create table col.room (room_id integer, printer_id integer references col.printer)",
        "foreign key room_printer_id_fkey on col.room",
    ),
    "generated_column": (
        "alter table col.storage add column place text"
        " generated always as (line_number::text || column_number) stored",
        "generated column col.storage.place refers to col.storage.column_number",
    ),
    "materialised view": (
        "create materialized view col.places as select metadata from col.sample",
        "materialized view col.places refers to col.sample.metadata",
    ),
    "rule": (
        "create rule own as on update to col.sample where new.metadata is null do instead nothing",
        "rule own on col.sample refers to col.sample.metadata",
    ),
    "trigger": (
        "create trigger own before update of metadata on col.sample for each row"
        " execute function suppress_redundant_updates_trigger()",
        "trigger own on col.sample refers to col.sample.metadata",
    ),
    "policy": (
        "create policy own on col.sample using (metadata is null) with check (false)",
        "policy own on col.sample refers to col.sample.metadata",
    ),
    "publication": (
        "create publication own for table col.sample (sample_id, metadata) where (sample_id > 0)",
        "publication col.sample in publication own refers to col.sample.metadata",
    ),
    "function": (
        "create function col.first() returns bigint begin atomic"
        " select count(metadata) from col.sample; end",
        "function col.first() refers to col.sample.metadata",
    ),
    "heir": (
        "create table col.old_printer () inherits (col.printer)",
        "table col.old_printer",
    ),
}


@pytest.mark.parametrize("case", DEPENDENTS)
def test_objects_of_the_site_are_named(server18: Server, clone: Clone, case: str) -> None:
    statement, named = DEPENDENTS[case]
    address = clone(chain.template_at(server18, "1.1"))
    chain.execute(address, statement)
    before = chain.catalog(address)
    with pytest.raises(DowngradeRefused) as refused:
        chain.downgrade(address, "1.0.8")
    assert named in str(refused.value)
    assert "nothing was touched" in str(refused.value)
    assert "CASCADE" not in refused.value.hint
    assert "drop them" in refused.value.hint
    assert not compare(expected=before, observed=chain.catalog(address))


@pytest.mark.parametrize("case", [case for case in DEPENDENTS if case != "heir"])
def test_they_are_dropped_where_that_is_allowed(server18: Server, clone: Clone, case: str) -> None:
    address = clone(chain.template_at(server18, "1.1"))
    chain.execute(address, DEPENDENTS[case][0])
    chain.downgrade(address, "1.0.8", drop_dependents="yes")
    assert not compare(expected=chain.known("1.0.8"), observed=applications(address))
    chain.upgrade(address, "1.1")
    ((again,),) = chain.query(address, "select statements from col_archive.dropped_objects")
    chain.execute(address, str(again))


def applications(address: Address) -> Catalog:
    """Return the facts of a database without the site's own table."""
    found = chain.catalog(address).facts
    return Catalog(facts=frozenset(one for one in found if not one.name.startswith("room")))


def test_a_site_object_on_the_last_step_is_named_too(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "1.0"))
    chain.execute(address, "create table col.own (sample_id integer references col.sample)")
    with pytest.raises(DowngradeRefused, match=r"own_sample_id_fkey on col\.own refers to"):
        chain.downgrade(address, "base")


@pytest.fixture
def poor_url(server18: Server) -> Iterator[str]:
    """Return the start of addresses for a role that owns the schemas and nothing else."""
    for statement in ("drop role if exists poor", "create role poor login password 'p'"):
        chain.execute(server18.address, statement)
    yield ""
    chain.execute(server18.address, "drop owned by poor; drop role poor")


def poor(server: Server, address: Address) -> dict[str, str]:
    """Give the schemas to the role `poor`; return the options by which it comes in."""
    chain.execute(
        address,
        """
        do $$
        declare item record;
        begin
            for item in select c.oid::regclass as name, c.relkind from pg_class c
                        join pg_namespace n on n.oid = c.relnamespace
                        where n.nspname in ('gacl', 'col') and c.relkind in ('r', 'v')
            loop
                execute format('alter %s %s owner to poor',
                    case item.relkind when 'v' then 'view' else 'table' end, item.name);
            end loop;
        end
        $$;
        alter sequence gacl.seq_logingestion_id owner to poor;
        alter schema gacl owner to poor;
        alter schema col owner to poor;
        """,
    )
    return {"url": server.tcp_url("poor", "p", address.dbname)}


ENTERED = (
    "insert into col.printer (printer_name, printer_queue) values ('a', 'b'), ('c', 'd');"
    "insert into col.storage (uid, storage_date, login, movement_type_id, line_number)"
    " select uid, now(), 'me', 1, 1 + generate_series(0, 2) from col.object"
)
OBJECT = "insert into col.object (uid, identifier) values (1, 'x');"


@pytest.mark.usefixtures("poor_url")
def test_rows_without_a_writable_archive_are_refused(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "1.1"))
    chain.execute(address, OBJECT + ENTERED)
    options = poor(server18, address)
    before = chain.query(address, "select count(*) from col.storage")
    with pytest.raises(MigrationError, match="may not make the archive col_archive") as refused:
        chain.downgrade(address, "1.0.8", **options)
    assert "let a superuser create this schema" in refused.value.hint
    assert chain.query(address, "select count(*) from col.storage") == before
    chain.execute(address, "create schema col_archive authorization poor")
    chain.downgrade(address, "1.0.8", **options)
    assert chain.query(address, "select count(*) from col_archive.printer") == [(2,)]
    owner = "select pg_get_userbyid(relowner) from pg_class where relname = 'printer'"
    assert chain.query(address, owner) == [("poor",)]


@pytest.mark.usefixtures("poor_url")
def test_an_archive_of_somebody_else_is_not_writable(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "1.1"))
    chain.execute(address, OBJECT + ENTERED + ";create schema col_archive")
    options = poor(server18, address)
    with pytest.raises(MigrationError, match="permission denied for schema col_archive"):
        chain.downgrade(address, "1.0.8", **options)


@pytest.mark.usefixtures("poor_url")
def test_without_rows_to_archive_no_archive_is_needed(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "1.1"))
    chain.downgrade(address, "1.0.8", **poor(server18, address))
    assert not compare(expected=chain.known("1.0.8"), observed=chain.catalog(address))


def test_the_version_of_an_operation_that_was_renamed_stays_in_the_archive(
    server18: Server, clone: Clone
) -> None:
    address = clone(chain.template_at(server18, "1.1"))
    chain.execute(
        address,
        "insert into col.protocol (protocol_id, protocol_name, protocol_version)"
        " values (1, 'p', '1');"
        "insert into col.operation (operation_id, protocol_id, operation_name, operation_version)"
        " values (1, 1, 'a', 'v'), (2, 1, 'b', 'v')",
    )
    chain.downgrade(address, "1.0.8")
    chain.execute(address, "update col.operation set operation_name = 'a'")
    said = chain.upgrade(address, "1.1")
    assert any("1 rows stay in the archive col_archive.operation" in line for line in said)
    found = "select operation_id, operation_version from col.operation order by 1"
    assert chain.query(address, found) == [(1, "v"), (2, None)]
    kept = "select relation from col_archive.collec_archive where source = 'operation'"
    ((name,),) = chain.query(address, kept)
    kept = f"select operation_id, operation_version from col_archive.{name}"
    assert chain.query(address, kept) == [(2, "v")]


def test_a_missing_schema_is_told(database: Address) -> None:
    with pytest.raises(MigrationError, match="there is no schema 'col'"):
        chain.downgrade(database, "base")
