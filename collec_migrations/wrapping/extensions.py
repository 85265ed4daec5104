"""Which extensions a script makes, and which it uses without making them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from collec_migrations.scripts import trees
from collec_migrations.wrapping.script import Item

_TYPES = {
    "geometry": "postgis", "geography": "postgis", "raster": "postgis_raster",
    "citext": "citext", "hstore": "hstore", "ltree": "ltree",
}  # fmt: skip
_FUNCTIONS = {
    "crypt": "pgcrypto", "gen_salt": "pgcrypto", "digest": "pgcrypto", "hmac": "pgcrypto",
    "gen_random_uuid": "pgcrypto", "uuid_generate_v4": "uuid-ossp",
    "uuid_generate_v1": "uuid-ossp", "unaccent": "unaccent", "similarity": "pg_trgm",
    "word_similarity": "pg_trgm",
}  # fmt: skip
_CORE_SINCE = {"gen_random_uuid": 130000}
"""Functions that PostgreSQL has of its own from a version on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """An extension that a script makes or uses, and where first."""

    name: str
    place: str
    """File and line."""
    made: bool
    """Whether the script itself makes it there."""
    core_since: int = 0
    """The server's version number from which on the use needs no extension; 0: always does."""


def uses(items: Sequence[Item]) -> tuple[Use, ...]:
    """Return the extensions of a script, each at its first use."""
    found: dict[str, Use] = {}
    for item in items:
        for use in _of(item):
            known = found.get(use.name)
            if known is None or (known.core_since and not use.core_since):
                found[use.name] = use
    return tuple(found.values())


def _of(item: Item) -> Iterator[Use]:
    if type(item.tree).__name__ == "CreateExtensionStmt":
        yield Use(name=item.tree.extname, place=item.place, made=True)
        return
    for place in trees.places((item.tree,), bool):
        if place.constant:
            continue
        name, core_since = _extension(place.at, place.text)
        if name:
            yield Use(name=name, place=item.place, made=False, core_since=core_since)


def _extension(at: Any, text: str) -> tuple[str, int]:
    """Return the extension that a name in a tree belongs to, and since when it is in core."""
    last = at.index == at.size - 1
    if at.slot == ("TypeName", "names") and last:
        return _TYPES.get(text, ""), 0
    if at.slot == ("IndexElem", "opclass") and last:
        return ("pg_trgm" if text.endswith("_trgm_ops") else ""), 0
    if at.slot == ("FuncCall", "funcname") and last:
        name = "postgis" if text.startswith("st_") else _FUNCTIONS.get(text, "")
        return name, _CORE_SINCE.get(text, 0)
    return "", 0
