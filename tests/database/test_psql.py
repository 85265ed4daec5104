"""The scripts run by plain psql give the same catalog as the tool."""

from itertools import pairwise

import pytest

from collec_migrations.catalog import compare
from tests import chain
from tests.servers import Server

LEGACY = chain.ROOT / "legacy_sql"
CREATION = (f"gacl_create-{chain.HEAD}.sql", f"col_create-{chain.HEAD}.sql")
WALK = (
    *("gacl_create-1.0.sql", "col_create-1.0.sql"),
    *(f"upgrade-{old}-{new}.sql" for old, new in pairwise(chain.VERSIONS)),
)


@pytest.mark.parametrize("scripts", [CREATION, WALK], ids=["creation", "walk"])
def test_psql_alone_reaches_the_measured_catalog(
    any_server: Server, scripts: tuple[str, ...]
) -> None:
    with any_server.database() as address:
        any_server.psql("create extension pg_trgm schema public", address.dbname)
        for script in scripts:
            any_server.psql(LEGACY / script, address.dbname)
        observed = chain.catalog(address)
    assert not compare(expected=chain.known(chain.HEAD), observed=observed)
