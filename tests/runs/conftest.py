"""Databases with the hook for faults."""

import pytest

from collec_migrations.postgres.address import Address
from collec_migrations.testing import sample_data
from tests import chain, faults
from tests.conftest import Clone
from tests.servers import Server


@pytest.fixture
def filled(server18: Server, clone: Clone) -> Address:
    """Return a database at 1.0.8 with rows in every table, and the hook for faults."""

    def build(address: Address) -> None:
        chain.upgrade(address, "1.0.8")
        with chain.connected(address) as connection:
            sample_data.fill(connection, chain.DEFAULT, movements=60)
            connection.commit()
        faults.hook(address)

    return clone(server18.template("faults_1.0.8", build))


@pytest.fixture
def empty(server18: Server, clone: Clone) -> Address:
    """Return an empty database with the hook for faults."""
    return clone(server18.template("faults_empty", faults.hook))
