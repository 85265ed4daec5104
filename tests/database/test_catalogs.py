"""The catalogs that the chain makes are those that were measured, on every major at hand."""

import pytest

from collec_migrations.catalog import compare
from collec_migrations.postgres.address import Address
from tests import chain
from tests.servers import Server


@pytest.mark.parametrize("version", chain.VERSIONS)
def test_the_chain_reaches_the_measured_catalog(any_server: Server, version: str) -> None:
    template = chain.template_at(any_server, version)
    with any_server.database(template) as address:
        observed = chain.catalog(address)
    assert not compare(expected=chain.known(version), observed=observed)


@pytest.mark.parametrize("version", ["1.0", "1.0.8", "2.0", "head"])
def test_an_empty_database_reaches_the_measured_catalog(any_server: Server, version: str) -> None:
    with any_server.database() as address:
        chain.upgrade(address, version)
        observed = chain.catalog(address)
    expected = chain.known(chain.HEAD if version == "head" else version)
    assert not compare(expected=expected, observed=observed)


def test_a_fresh_head_is_created_not_walked_to(database: Address) -> None:
    chain.upgrade(database)
    rows = chain.query(database, "select version, script from col.migration_history")
    assert rows == [("26.2", "gacl_create-26.2.sql, col_create-26.2.sql")]


def test_a_fresh_middle_version_walks_the_chain(database: Address) -> None:
    chain.upgrade(database, "1.0.8")
    rows = chain.query(database, "select version from col.migration_history order by 1")
    assert rows == [("1.0",), ("1.0.4",), ("1.0.5",), ("1.0.6",), ("1.0.8",)]


def test_a_catalog_that_lacks_a_column_is_told(database: Address) -> None:
    chain.upgrade(database)
    chain.execute(database, "alter table col.printer drop column printer_comment")
    drift = compare(expected=chain.known(chain.HEAD), observed=chain.catalog(database))
    assert {fact.name for fact in drift.missing} == {"printer.printer_comment"}
    assert not drift.extra
