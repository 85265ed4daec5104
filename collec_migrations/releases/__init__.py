"""The known versions of the database, in order, each with what a sound database of it contains."""

from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path

from collec_migrations.catalog import Catalog
from collec_migrations.releases.normal import of_trigram_extension

_CATALOGS = Path(__file__).parent / "catalogs"


def order(version: str) -> tuple[int, ...]:
    """Return what versions are sorted by: 24.0 comes after 2.8.1, 1.2.3 after 1.2."""
    return tuple(int(part) for part in version.split("."))


VERSIONS = tuple(sorted((path.stem for path in _CATALOGS.glob("*.json")), key=order))
"""Every version that has a catalog, oldest first: to add a catalog is to add a version."""
FIRST_RECORDED = "1.0.8"
"""The first version that says its number, in table `dbversion`."""
FIRST_WITHOUT_OLDER_ROWS = "2.0"
"""The step to this version deletes the rows of `dbversion` that older ones left."""


class Shape(StrEnum):
    """How a database came to its version; both are legitimate and differ in details."""

    UPGRADED = "upgraded"
    FRESH = "fresh"


def position(version: str) -> int:
    """Return where a known version stands in the order of versions."""
    return VERSIONS.index(version)


def previous(version: str) -> str | None:
    """Return the version before, None for the first one."""
    place = position(version)
    return VERSIONS[place - 1] if place else None


def is_recorded(version: str) -> bool:
    """Say whether a sound database of this version has a row with its number in `dbversion`."""
    return position(version) >= position(FIRST_RECORDED)


def steps() -> tuple[tuple[str, str], ...]:
    """Return each version with the next one."""
    return tuple(pairwise(VERSIONS))


@cache
def catalog(version: str, shape: Shape = Shape.UPGRADED) -> Catalog | None:
    """Return what a sound database of this version and shape contains; None: shape not known."""
    folder = _CATALOGS if shape is Shape.UPGRADED else _CATALOGS / Shape.FRESH
    path = folder / f"{version}.json"
    if not path.exists():
        return None
    stored = Catalog.from_json(path.read_text(encoding="utf-8"))
    return Catalog(frozenset(fact for fact in stored.facts if not of_trigram_extension(fact)))


def upgraded(version: str) -> Catalog:
    """Return the catalog that every version has."""
    found = catalog(version)
    if found is None:
        raise KeyError(version)
    return found


@cache
def shapes(version: str) -> tuple[tuple[Shape, Catalog], ...]:
    """Return the known shapes of a version with their catalogs."""
    known = ((shape, catalog(version, shape)) for shape in Shape)
    return tuple((shape, found) for shape, found in known if found is not None)
