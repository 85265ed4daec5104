"""The catalogs that the package carries are those that the chain makes."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from collec_migrations import versions
from collec_migrations.catalog import Catalog
from collec_migrations.migrate import lock_facts
from tools import facts


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the catalogs in which one is changed, one is missing, one is in disorder."""
    folder = tmp_path_factory.mktemp("copied") / "catalogs"
    shutil.copytree(facts.CATALOGS, folder)
    changed = folder / "1.0.8.json"
    changed.write_text(changed.read_text("utf-8").replace("sample_type_name", "sample_name"))
    (folder / "1.0.4.json").unlink()
    kept = folder / "1.0.5.json"
    kept.write_text(Catalog.from_json(kept.read_text("utf-8")).to_json(), "utf-8")
    (folder / "99.0.json").write_text("{}", "utf-8")
    return folder


def test_the_catalogs_of_the_chain_are_not_stale_and_stale_ones_are_found(copied: Path) -> None:
    stale = facts.stale_in(copied)
    assert {path.name for path in stale} == {"1.0.4.json", "1.0.8.json"}
    for path, found in stale.items():
        stored = (facts.CATALOGS / path.name).read_text("utf-8")
        assert Catalog.from_json(stored) == found, f"run `make facts`: {path.name} is stale"


def test_the_locks_were_measured_on_these_scripts() -> None:
    chain = versions.in_chain(versions.versions_folder())
    steps = [*pairwise(chain), *pairwise(reversed(chain))]
    names = {
        name
        for old, new in steps
        for name in versions.script_names(old, new)
        if not name.endswith("-postgis.sql")  # not on the server of `make facts`
    }
    stale = {name for name in names if lock_facts.of_script(name, versions.load(name).text) is None}
    assert not stale, "run `make facts`"
