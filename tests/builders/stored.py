"""The catalogs that the package carries, for tests that go through all of them."""

import json
from importlib.resources import files

from collec_migrations.catalog import Catalog
from tests.builders import ddl

_FOLDER = files("collec_migrations.data") / "catalogs"

CHAIN = ("1.0", "1.0.4", "1.0.5", "1.0.6", "1.0.8", "1.1")
"""The versions that were one chain before the later ones were written."""
UPGRADED = tuple(
    sorted(
        (entry.name.removesuffix(".json") for entry in _FOLDER.iterdir() if entry.is_file()),
        key=lambda version: tuple(map(int, version.split("."))),
    )
)
FRESH = tuple(
    f"fresh/{version}" for version in UPGRADED if (_FOLDER / "fresh" / f"{version}.json").is_file()
)
"""Fresh installations where they differ from upgraded databases."""


def load(version: str) -> Catalog:
    """Return a catalog as stored: `2.4` upgraded, `fresh/2.4` as installed."""
    return Catalog.from_json((_FOLDER / f"{version}.json").read_text("utf-8"))


def built(version: str) -> Catalog:
    """Return a catalog as `from_catalog` builds it: with a moment for a frozen default."""
    frozen = json.dumps(ddl.FROZEN)[1:-1]
    return Catalog.from_json(load(version).to_json().replace("<moment of installation>", frozen))
