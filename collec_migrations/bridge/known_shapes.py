"""The hash of each known shape: an exact match is told without loading a catalog."""

import json
from functools import cache
from hashlib import sha256
from pathlib import Path

from collec_migrations import catalog, versions
from collec_migrations.catalog import Catalog

INDEX = Path(__file__).parent.parent / "data" / "shapes.json"


def exact(observed: Catalog) -> tuple[str, ...]:
    """Return the versions of which the facts are exactly a known shape."""
    return tuple(_index().get(digest(observed), ()))


def digest(observed: Catalog) -> str:
    """Return the hash of the facts in their normal form."""
    facts = sorted(catalog.normalised(observed).facts)
    return sha256("\0".join("\1".join(fact) for fact in facts).encode()).hexdigest()[:32]


def build() -> dict[str, list[str]]:
    """Return the index of all shapes, as the file holds it."""
    found: dict[str, list[str]] = {}
    for version in versions.BUILT_IN:
        for _, shape in versions.shapes(version):
            for one in (shape, catalog.thawed(catalog.normalised(shape))):
                known = found.setdefault(digest(one), [])
                if version not in known:
                    known.append(version)
    return found


@cache
def _index() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(INDEX.read_text("utf-8"))
    return found


if __name__ == "__main__":
    INDEX.write_text(json.dumps(build(), indent=1) + "\n", "utf-8")
