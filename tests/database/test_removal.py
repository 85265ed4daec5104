"""`downgrade base`: refused while a row of a user exists; what it removes is kept."""

import pytest

from collec_migrations.catalog import compare
from collec_migrations.errors import DowngradeRefused
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data
from tests import chain
from tests.builders import rows
from tests.conftest import Clone
from tests.servers import Server

TABLES = (
    "select n.nspname || '.' || c.relname from pg_class c"
    " join pg_namespace n on n.oid = c.relnamespace"
    " where n.nspname ~ '^(gacl|col)' and c.relkind = 'r' order by 1"
)
STAYING = [
    ("col.alembic_version",),
    ("col.migration_history",),
    ("gacl.migration_history",),
]
WAYS = [
    *(("1.0", "1.0"), ("1.0", chain.HEAD), ("1.1", "1.0.8"), ("1.1", "1.1")),
    (chain.HEAD, chain.HEAD),
    *(("1.1", version) for version in ("1.2.3", "2.0", "2.5", "24.0", "26.1")),
]


def own_tables(address: Address) -> list[tuple[object, ...]]:
    return [row for row in chain.query(address, TABLES) if "_archive." not in str(row[0])]


@pytest.mark.parametrize(("start", "end"), WAYS, ids=lambda version: str(version))
def test_an_installation_without_work_goes_without_a_question(
    any_server: Server, start: str, end: str
) -> None:
    with any_server.database(chain.template_at(any_server, start)) as address:
        chain.move(address, end)
        chain.downgrade(address, "base")
        assert own_tables(address) == STAYING
        assert chain.query(address, "select * from col.alembic_version") == []
        for schema in ("gacl", "col"):
            last = f"select version, kind from {schema}.migration_history"
            last += " order by migration_history_id desc limit 1"
            assert chain.query(address, last) == [(None, "downgraded")]


ENTERED = {
    "a_new_row": ("insert into col.collection (collection_name) values ('Mine')",
                  "col.collection (1)"),
    "rows_of_rights": ("insert into gacl.log (log_id, login, log_date) values (1, 'me', now()),"
                       " (2, 'me', now())", "gacl.log (2)"),
    "a_changed_reference_row": ("update col.movement_type set movement_type_name = 'x'"
                                " where movement_type_id = 1", "col.movement_type (1)"),
    "an_empty_column_filled": ("update col.container_type set container_type_description = ''"
                               " where container_type_id = 1", "col.container_type (1)"),
    "a_default_changed": ("update col.container_type set lines = 8, columns = 12"
                          " where container_type_id = 1", "col.container_type (1)"),
    "a_row_beside_reference_rows": ("insert into gacl.aclgroup (groupe) values ('admin')",
                                    "gacl.aclgroup (1)"),
    "an_account_changed": ("update gacl.logingestion set nom = 'Anne'", "gacl.logingestion (1)"),
    "the_label_edited": ("update col.label set label_xsl = label_xsl || ' ' where label_id = 1",
                         "col.label (1)"),
    "two_tables": ("insert into col.collection (collection_name) values ('a'), ('b');"
                   "insert into col.movement_reason (movement_reason_name) values ('c')",
                   "col.collection (2), col.movement_reason (1)"),
}  # fmt: skip


@pytest.mark.parametrize("case", ENTERED)
def test_any_row_of_a_user_stops_it(server18: Server, clone: Clone, case: str) -> None:
    statement, named = ENTERED[case]
    address = clone(chain.template_at(server18, chain.HEAD))
    chain.execute(address, statement)
    before = chain.catalog(address)
    with pytest.raises(DowngradeRefused) as refused:
        chain.downgrade(address, "base")
    assert str(refused.value) == f"there are rows that users entered: {named}"
    assert "`alembic -x destroy=yes downgrade base`" in refused.value.hint
    assert not compare(expected=before, observed=chain.catalog(address))
    assert chain.query(address, "select version_num from col.alembic_version") == [(chain.HEAD,)]


TOLERATED = {
    "password": "update gacl.logingestion set password = 'changed'",
    "application_code": "update gacl.aclappli set appli = 'lab'",
    "reference_rows_deleted": "delete from col.event_type; delete from col.mime_type",
    "site_table": "create table col.own (id integer); insert into col.own values (1)",
}


@pytest.mark.parametrize("case", TOLERATED)
def test_what_is_no_row_of_a_user_does_not_stop_it(
    server18: Server, clone: Clone, case: str
) -> None:
    address = clone(chain.template_at(server18, chain.HEAD))
    chain.execute(address, TOLERATED[case])
    chain.downgrade(address, "base")
    site = [("col.own",)] if case == "site_table" else []
    assert sorted(own_tables(address)) == sorted(STAYING + site)
    chain.upgrade(address)
    assert chain.query(address, "select version_num from col.alembic_version") == [(chain.HEAD,)]


def test_relative_steps_down_to_nothing_are_guarded_as_well(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "1.0.4"))
    chain.execute(address, "insert into col.project (project_name) values ('Mine')")
    chain.downgrade(address, "-1")
    with pytest.raises(DowngradeRefused, match=r"col\.project \(1\)"):
        chain.downgrade(address, "-1")


def test_the_hint_repeats_the_names_of_the_schemas(database: Address) -> None:
    names = {"gacl": "the rights", "col": '"lab,a"'}
    chain.upgrade(database, **names)
    chain.execute(database, "insert into \"lab,a\".collection (collection_name) values ('x')")
    with pytest.raises(DowngradeRefused, match=r"lab,a\.collection \(1\)") as refused:
        chain.downgrade(database, "base", **names)
    expected = "alembic -x destroy=yes -x 'gacl=the rights' -x 'col=\"lab,a\"' downgrade base"
    assert expected in refused.value.hint
    chain.downgrade(database, "base", **names, destroy="yes")


def test_names_that_are_hard_to_quote_are_guarded(database: Address) -> None:
    names = Names(gacl="$rows0$ 100%s", col='it\'s "odd" \\ {}')
    chain.upgrade(database, **chain.under(names))
    quoted = names.col.replace('"', '""')
    chain.execute(database, f"insert into \"{quoted}\".collection (collection_name) values ('x')")
    with pytest.raises(DowngradeRefused) as refused:
        chain.downgrade(database, "base", **chain.under(names))
    assert str(refused.value).endswith(f"{names.col}.collection (1)")
    chain.downgrade(database, "base", **chain.under(names), destroy="yes")


def test_destroy_archives_every_row(server18: Server, clone: Clone) -> None:
    address = clone(chain.template_at(server18, "1.0"))
    with chain.connected(address) as connection:
        sample_data.fill(connection, chain.DEFAULT, movements=50)
        connection.commit()
        before = {schema: rows.dump_rows(connection, schema) for schema in ("gacl", "col")}
        connection.rollback()
        chain.downgrade(address, "base", destroy="yes")
        for schema, tables in before.items():
            kept = rows.dump_rows(connection, f"{schema}_archive")
            kept.pop("collec_archive")
            for own in ("alembic_version", "migration_history"):
                tables.pop(own, None)
            assert not rows.difference(tables, kept)


def test_an_installation_afterwards_is_fresh_and_keeps_the_archives(
    server18: Server, clone: Clone
) -> None:
    address = clone(server18.template("installed", chain.upgrade))
    kept = (
        "select relation, version_to from col_archive.collec_archive"
        " where source = 'sample' and kind = 'table'"
    )
    for life in (1, 2):
        with chain.connected(address) as connection:
            sample_data.fill(connection, chain.DEFAULT, movements=50)
            connection.commit()
        chain.downgrade(address, "base", destroy="yes")
        assert own_tables(address) == STAYING
        chain.upgrade(address)
        assert not compare(expected=chain.known(chain.HEAD), observed=chain.catalog(address))
        assert chain.query(address, "select count(*) from col.sample") == [(0,)]
        assert (
            chain.query(address, f"{kept} order by 1")
            == [("sample", None), ("sample_2", None)][:life]
        )
    chain.downgrade(address, "1.0")
    chain.upgrade(address)
    assert chain.query(address, "select count(*) from col.sample") == [(0,)]
