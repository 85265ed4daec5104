"""The catalogs that the package carries, for tests that go through all of them."""

from importlib.resources import files

from collec_migrations.catalog import Catalog

_FOLDER = files("collec_migrations.data") / "catalogs"

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
