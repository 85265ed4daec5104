"""All or nothing: whatever goes wrong at whatever statement, the database is as it was."""

from collections.abc import Callable, Iterator

import pytest

from collec_migrations import laboratory
from collec_migrations.catalog import Catalog
from collec_migrations.errors import ConnectionLost, MigrationError
from collec_migrations.server.address import Address
from tests import chain, faults
from tests.builders import rows
from tests.conftest import Clone
from tests.servers import Server

SCHEMAS = ("gacl", "gacl_archive", "col", "col_archive")
SHORT = 12
"""Positions that are tried in a short run; `make soak` tries them all."""

State = tuple[Catalog, dict[str, dict[str, list[str]]]]


def state(address: Address) -> State:
    """Return the catalog and every row, with versions and history."""
    with chain.connected(address) as connection:
        dumped = {schema: rows.dump_rows(connection, schema) for schema in SCHEMAS}
    return chain.catalog(address), dumped


@pytest.fixture
def filled(server18: Server, clone: Clone) -> Address:
    """Return a database at 1.0.8 with rows in every table, and the hook for faults."""

    def build(address: Address) -> None:
        chain.upgrade(address, "1.0.8")
        with chain.connected(address) as connection:
            laboratory.fill(connection, chain.DEFAULT, movements=60)
            connection.commit()
        faults.hook(address)

    return clone(server18.template("faults_1.0.8", build))


@pytest.fixture
def empty(server18: Server, clone: Clone) -> Address:
    """Return an empty database with the hook for faults."""
    return clone(server18.template("faults_empty", faults.hook))


def upgrade(address: Address) -> None:
    """Upgrade in one attempt."""
    chain.upgrade(address, lock_retries="0")


def spread(total: int) -> list[int]:
    """Return a few positions from the first to the last."""
    step = max(1, total // SHORT)
    return sorted({*range(1, total + 1, step), total})


def counted(server: Server, address: Address) -> int:
    """Return how many statements an upgrade of this database has, on a copy."""
    with server.database(address.dbname) as copy:
        return faults.count(copy, lambda: upgrade(copy))


def check(address: Address, positions: list[int], fault: str, raised: type[Exception]) -> None:
    """Assert that a fault at each of the positions leaves nothing, and that a run then succeeds."""
    before = state(address)
    for at in positions:
        faults.plan(address, at, fault)
        with pytest.raises(raised) as failed:
            upgrade(address)
        assert "nothing was applied" in str(failed.value), at
        assert state(address) == before, f"position {at}"
    faults.unhook(address)
    upgrade(address)
    assert chain.catalog(address) == chain.known("1.1")


FAULTS = [
    pytest.param(faults.RAISE, MigrationError, id="error"),
    pytest.param(faults.DISK_FULL, MigrationError, id="disk-full"),
    pytest.param(faults.TERMINATE, ConnectionLost, id="terminated"),
]


@pytest.mark.parametrize(("fault", "raised"), FAULTS)
def test_a_fault_within_an_upgrade_leaves_nothing(
    server18: Server, filled: Address, fault: str, raised: type[Exception]
) -> None:
    check(filled, spread(counted(server18, filled)), fault, raised)


@pytest.mark.parametrize(("fault", "raised"), FAULTS)
def test_a_fault_within_an_installation_leaves_nothing(
    server18: Server, empty: Address, fault: str, raised: type[Exception]
) -> None:
    check(empty, spread(counted(server18, empty)), fault, raised)
    assert chain.query(empty, "select 1 from pg_namespace where nspname ~ 'archive'") == []


@pytest.mark.soak
@pytest.mark.parametrize(("fault", "raised"), FAULTS)
@pytest.mark.parametrize("start", ["filled", "empty"])
def test_a_fault_at_every_statement_leaves_nothing(
    server18: Server,
    start: str,
    request: pytest.FixtureRequest,
    fault: str,
    raised: type[Exception],
) -> None:
    address: Address = request.getfixturevalue(start)
    check(address, list(range(1, counted(server18, address) + 1)), fault, raised)
