"""Which extensions a script makes, and which it uses without making them. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
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
_CLASSES = (
    (r"(gin|gist)_trgm_ops", "pg_trgm"),
    (r"gist_(int[248]|float[48]|numeric|oid|timestamp(tz)?|timetz|time|date|interval|cash|macaddr8?"
     r"|text|bpchar|bytea|bit|vbit|inet|cidr|uuid|enum|bool)_ops", "btree_gist"),
    (r"(gin|gist|btree|hash)_hstore_ops", "hstore"),
    (r"(gist_|_)?ltree_ops|gist__ltree_ops|hash_ltree_ops", "ltree"),
    (r"gin__int_ops|gist__int(big)?_ops", "intarray"),
    (r"(gist|spgist|brin|btree|hash)_(geometry|geography)_(inclusion_)?ops(_\w+)?", "postgis"),
    (r"citext_(pattern_)?ops", "citext"),
)  # fmt: skip
_SCALAR = frozenset(
    {"int2", "int4", "int8", "float4", "float8", "money", "oid", "timestamp", "timestamptz", "time",
     "timetz", "date", "interval", "macaddr", "macaddr8", "inet", "cidr", "text", "varchar", "char",
     "bytea", "bit", "varbit", "numeric", "uuid", "bool", "name", "bpchar"}
)  # fmt: skip
"""Types of which GIN indexes nothing without btree_gin, whose classes are called TYPE_ops."""
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
    types: dict[tuple[str, str], str] = {}
    for item in items:
        types.update(_columns(item.tree))
        for use in (*_of(item), *_without_class(item, types)):
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
        return _of_class(text, at), 0
    if at.slot == ("FuncCall", "funcname") and last:
        name = "postgis" if text.startswith("st_") else _FUNCTIONS.get(text, "")
        return name, _CORE_SINCE.get(text, 0)
    return "", 0


def _of_class(name: str, at: Any) -> str:
    """Return the extension that an operator class belongs to."""
    for pattern, extension in _CLASSES:
        if re.fullmatch(pattern, name):
            return extension
    is_scalar = name.removesuffix("_ops") in _SCALAR
    return "btree_gin" if is_scalar and _method(at) == "gin" else ""


def _method(at: Any) -> str:
    step = at
    while step is not None and step.kind != "IndexStmt":
        step = step.up
    return str(step.node.accessMethod) if step else ""


def _columns(tree: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the columns that a statement makes: (table, column) and the type's name."""
    kind = type(tree).__name__
    if kind == "CreateStmt":
        made = tree.tableElts or ()
    elif kind == "AlterTableStmt":
        made = tuple(command.def_ for command in tree.cmds)
    else:
        return
    for column in made:
        if type(column).__name__ == "ColumnDef" and column.colname and column.typeName:
            bare = column.typeName.names[-1].sval + ("[]" if column.typeName.arrayBounds else "")
            yield (tree.relation.relname, column.colname), bare


def _without_class(item: Item, types: Mapping[tuple[str, str], str]) -> Iterator[Use]:
    """Yield btree_gin for an index of a plain column that the scripts made."""
    tree = item.tree
    if type(tree).__name__ != "IndexStmt" or tree.accessMethod != "gin":
        return
    for element in tree.indexParams:
        bare = types.get((tree.relation.relname, element.name or ""), "")
        if not element.opclass and bare in _SCALAR:
            yield Use(name="btree_gin", place=item.place, made=False)
