"""Several data schemas beside one rights schema: it goes down with the last that needs it."""

import pytest

from collec_migrations.catalog import Catalog, compare
from collec_migrations.errors import DowngradeRefused
from collec_migrations.names import Names
from collec_migrations.postgres.address import Address
from tests import chain
from tests.conftest import Clone
from tests.servers import Server

A, B = Names(col="lab_a"), Names(col="lab_b")
BOTH = {"col": "lab_a,lab_b"}


@pytest.fixture
def shared(server18: Server, clone: Clone) -> Address:
    """Return a database with two data schemas at the newest version."""
    return clone(server18.template("shared", lambda address: chain.upgrade(address, **BOTH)))


def facts(told: Catalog, role: str) -> Catalog:
    return Catalog(frozenset(fact for fact in told.facts if fact.role == role))


def at(address: Address, names: Names, col: str, gacl: str) -> None:
    """Assert that a pair's schemas are at these versions."""
    observed = chain.catalog(address, names)
    for role, version in (("col", col), ("gacl", gacl)):
        expected = facts(chain.known(version), role)
        assert not compare(expected=expected, observed=facts(observed, role)), (role, version)


def rights_history(address: Address) -> list[tuple[object, ...]]:
    return chain.query(
        address,
        "select version, kind from gacl.migration_history order by migration_history_id",
    )


def test_the_rights_schema_stays_while_another_needs_it(shared: Address) -> None:
    said = chain.downgrade(shared, "1.0", col="lab_a")
    assert said == ["the rights schema 'gacl' stays at 26.2: another data schema needs it"]
    at(shared, A, "1.0", chain.HEAD)
    at(shared, B, chain.HEAD, chain.HEAD)
    assert rights_history(shared) == [(chain.HEAD, "applied")]
    chain.upgrade(shared, col="lab_a")
    at(shared, A, chain.HEAD, chain.HEAD)


def test_it_goes_down_with_the_last_one(shared: Address) -> None:
    chain.execute(shared, "insert into gacl.passwordlost (id, token, expiration)"
                            " values (1, 'mine', now())")  # fmt: skip
    chain.downgrade(shared, "1.0", col="lab_a")
    chain.downgrade(shared, "1.0.5", col="lab_b")
    at(shared, A, "1.0", "1.0.5")
    at(shared, B, "1.0.5", "1.0.5")
    assert rights_history(shared)[-1] == ("1.0.5", "downgraded")
    assert chain.query(shared, "select token from gacl_archive.passwordlost")
    chain.upgrade(shared, col="lab_a")
    at(shared, A, chain.HEAD, chain.HEAD)
    assert chain.query(shared, "select token from gacl.passwordlost") == [("mine",)]


def test_both_in_one_run(shared: Address) -> None:
    chain.downgrade(shared, "1.0.6", **BOTH)
    for names in (A, B):
        at(shared, names, "1.0.6", "1.0.6")


def test_several_versions_at_once_when_nobody_is_left(database: Address) -> None:
    chain.upgrade(database, "1.0.6", col="lab_b")
    chain.upgrade(database, chain.HEAD, col="lab_a")
    at(database, B, "1.0.6", chain.HEAD)
    chain.execute(database, "drop schema lab_a cascade")
    chain.downgrade(database, "1.0.5", col="lab_b")
    at(database, B, "1.0.5", "1.0.5")
    assert rights_history(database)[-1] == ("1.0.5", "downgraded")


@pytest.mark.parametrize(
    "change",
    ["drop table lab_b.alembic_version", "update lab_b.alembic_version set version_num = '9.9'"],
    ids=["none", "unknown"],
)
def test_a_data_schema_without_a_known_version_needs_it(shared: Address, change: str) -> None:
    chain.execute(shared, change)
    chain.downgrade(shared, "1.0", col="lab_a")
    at(shared, A, "1.0", chain.HEAD)


def test_tables_of_the_site_do_not_hold_it(database: Address) -> None:
    chain.upgrade(database, col="lab_a")
    chain.execute(
        database,
        "create schema site; create table site.team (g integer references gacl.aclgroup)",
    )
    chain.downgrade(database, "1.0.8", col="lab_a")
    at(database, A, "1.0.8", "1.0.8")


def test_removal_looks_at_the_rights_only_when_they_go(shared: Address) -> None:
    chain.execute(shared, "insert into gacl.aclgroup (groupe) values ('mine')")
    chain.downgrade(shared, "base", col="lab_a")
    at(shared, B, chain.HEAD, chain.HEAD)
    with pytest.raises(DowngradeRefused, match=r"gacl\.aclgroup \(1\)"):
        chain.downgrade(shared, "base", col="lab_b")
    chain.downgrade(shared, "base", col="lab_b", destroy="yes")
    assert rights_history(shared)[-1] == (None, "downgraded")


def test_removal_of_both_in_one_run(shared: Address) -> None:
    chain.execute(shared, "insert into lab_b.collection (collection_name) values ('mine')")
    with pytest.raises(DowngradeRefused, match=r"lab_b\.collection \(1\)") as refused:
        chain.downgrade(shared, "base", **BOTH)
    assert "col=lab_a,lab_b" in refused.value.hint
    at(shared, A, chain.HEAD, chain.HEAD)
    chain.downgrade(shared, "base", **BOTH, destroy="yes")
    assert chain.query(shared, "select to_regclass('gacl.aclgroup')") == [(None,)]


def test_a_failure_in_the_second_leaves_the_first(shared: Address) -> None:
    chain.execute(shared, "create view lab_b.own as select * from lab_b.samplehisto")
    with pytest.raises(DowngradeRefused, match=r"view lab_b\.own"):
        chain.downgrade(shared, "26.0", **BOTH)
    at(shared, A, chain.HEAD, chain.HEAD)
