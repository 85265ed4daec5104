"""All or nothing: whatever goes wrong at whatever statement, the database is as it was."""

import pytest

from collec_migrations.errors import ConnectionLost, MigrationError
from collec_migrations.postgres.address import Address
from tests import chain, faults
from tests.runs.states import state
from tests.servers import Server

SHORT = 3
"""Positions that are tried in a short run; `make soak` tries them all."""


def upgrade(address: Address) -> None:
    """Upgrade in one attempt."""
    chain.upgrade(address, lock_retries="0")


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
    assert chain.catalog(address) == chain.known(chain.HEAD)


FAULTS = [
    pytest.param(faults.RAISE, MigrationError, id="error"),
    pytest.param(faults.DISK_FULL, MigrationError, id="disk-full"),
    pytest.param(faults.TERMINATE, ConnectionLost, id="terminated"),
]


@pytest.mark.parametrize(("fault", "raised"), FAULTS)
def test_a_fault_within_an_upgrade_leaves_nothing(
    server18: Server, filled: Address, fault: str, raised: type[Exception]
) -> None:
    check(filled, faults.spread(faults.counted(server18, filled), SHORT), fault, raised)


@pytest.mark.parametrize(("fault", "raised"), FAULTS)
def test_a_fault_within_an_installation_leaves_nothing(
    server18: Server, empty: Address, fault: str, raised: type[Exception]
) -> None:
    check(empty, faults.spread(faults.counted(server18, empty), SHORT), fault, raised)
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
    check(address, list(range(1, faults.counted(server18, address) + 1)), fault, raised)
