"""Laboratory data and arbitrary rows in databases that the chain itself installed."""

import pytest
from hypothesis import HealthCheck, given, settings

from collec_migrations.catalog import compare
from collec_migrations.testing import sample_data
from tests import chain, strategies
from tests.builders import content, rows, stored
from tests.servers import Server


@pytest.mark.parametrize("version", stored.CHAIN)
def test_an_installed_database_stays_sound(server18: Server, version: str) -> None:
    with server18.database(chain.template_at(server18, version)) as address:
        with chain.connected(address) as connection:
            sample_data.fill(connection, chain.DEFAULT, movements=500)
            counts = rows.digest(connection, "col") | rows.digest(connection, "gacl")
            connection.commit()
        assert not [table for table, (count, _) in counts.items() if count == 0]
        assert not compare(expected=stored.load(version), observed=chain.catalog(address))
        moved = chain.query(address, "select count(distinct uid) from col.storage")
        if version != "1.0":
            assert moved == chain.query(address, "select count(*) from col.last_movement")
        assert chain.query(address, "select count(*) > 3 from col.last_photo") == [(True,)]


@pytest.mark.parametrize("version", stored.CHAIN)
def test_any_content_loads_over_an_installation(server18: Server, version: str) -> None:
    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategies.contents(stored.load(version)))
    def loads(drawn: content.Content) -> None:
        connection.rollback()
        content.replace_rows(connection, chain.DEFAULT, drawn)
        for view in ("last_movement", "last_photo", "v_object_identifier", "aclgroup"):
            connection.cursor().execute(f"select count(*) from col.{view}")

    with (
        server18.database(chain.template_at(server18, version)) as address,
        chain.connected(address) as connection,
    ):
        loads()
