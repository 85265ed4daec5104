"""The scripts run by plain psql give the same catalog as the tool."""

import pytest

from collec_migrations.catalog import compare
from tests import chain
from tests.servers import Server

LEGACY = chain.ROOT / "legacy_sql"
CREATION = ("gacl_create-1.1.sql", "col_create-1.1.sql")
WALK = (
    "gacl_create-1.0.sql",
    "col_create-1.0.sql",
    "upgrade-1.0-1.0.4.sql",
    "upgrade-1.0.4-1.0.5.sql",
    "upgrade-1.0.5-1.0.6.sql",
    "upgrade-1.0.6-1.0.8.sql",
    "upgrade-1.0.8-1.1.sql",
)


@pytest.mark.parametrize("scripts", [CREATION, WALK], ids=["creation", "walk"])
def test_psql_alone_reaches_the_measured_catalog(
    any_server: Server, scripts: tuple[str, ...]
) -> None:
    with any_server.database() as address:
        for script in scripts:
            any_server.psql(LEGACY / script, address.dbname)
        observed = chain.catalog(address)
    assert not compare(expected=chain.known("1.1"), observed=observed)


@pytest.mark.parametrize("path", sorted(LEGACY.glob("*.sql")), ids=lambda path: path.name)
def test_scripts_need_no_psql_command_and_no_search_path(path: object) -> None:
    text = (LEGACY / str(path)).read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    assert not [line for line in lines if line.startswith("\\") or "search_path" in line]
