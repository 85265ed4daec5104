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


@pytest.mark.parametrize("path", sorted(LEGACY.glob("*.sql")), ids=lambda path: path.name)
def test_scripts_need_no_psql_command_and_no_search_path(path: object) -> None:
    text = (LEGACY / str(path)).read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    assert not [line for line in lines if line.startswith("\\") or "search_path" in line]
