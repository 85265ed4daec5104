"""A database catalog as a set of facts, free of schema names: build, store, compare."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple


class Fact(NamedTuple):
    """One thing that a schema holds."""

    role: str
    """`gacl` or `col`, whatever the schema is called."""
    kind: str
    """table, column, constraint, index, view, sequence, function, trigger or type."""
    name: str
    """Without schema; `table.column` for what belongs to a table."""
    definition: str


Stored = Mapping[str, Mapping[str, Mapping[str, str]]]
"""The form of a catalog in JSON: role, kind, name, definition."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """All facts of a pair of schemas."""

    facts: frozenset[Fact]

    @classmethod
    def of(cls, facts: Iterable[tuple[str, str, str, str]]) -> "Catalog":
        """Return the catalog of rows (role, kind, name, definition)."""
        return cls(frozenset(Fact(*row) for row in facts))

    @classmethod
    def from_json(cls, text: str) -> "Catalog":
        """Return the catalog that `to_json` wrote."""
        stored: Stored = json.loads(text)
        return cls.of(
            (role, kind, name, definition)
            for role, kinds in stored.items()
            for kind, names in kinds.items()
            for name, definition in names.items()
        )

    def to_json(self) -> str:
        """Return the catalog as indented JSON, sorted, ending with a newline."""
        stored: dict[str, dict[str, dict[str, str]]] = {}
        for role, kind, name, definition in sorted(self.facts):
            stored.setdefault(role, {}).setdefault(kind, {})[name] = definition
        return json.dumps(stored, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Drift:
    """How an observed catalog differs from an expected one."""

    missing: frozenset[Fact]
    """Expected, not observed."""
    extra: frozenset[Fact]
    """Observed, not expected."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra)


def compare(*, expected: Catalog, observed: Catalog) -> Drift:
    """Return the difference between two catalogs; falsy when there is none."""
    return Drift(missing=expected.facts - observed.facts, extra=observed.facts - expected.facts)


FROZEN = "<moment of installation>"
"""What stands in the stored catalogs for a default that an installer froze."""

_TRIGRAM = re.compile(r"(gin_|gtrgm_|(strict_)?word_similarity|similarity|set_limit|show_)\w*\(")
_FROZEN_DEFAULT = re.compile(r"default '[^']*'::timestamp without time zone")
_FILL_FACTOR = re.compile(r" WITH \(fillfactor='?\d+'?\)")


def of_trigram_extension(fact: Fact) -> bool:
    """Say whether a stored fact is a function of pg_trgm, which installers put into `col`."""
    return fact.kind == "function" and bool(_TRIGRAM.match(fact.name))


@cache
def normal(fact: Fact) -> Fact:
    """Return the fact without the moment of an installation and the server's major.

    `gen_random_uuid()` is pgcrypto's in `public` before 13 and PostgreSQL's own from then on.
    """
    if fact.kind != "column":
        return fact
    definition = fact.definition
    if fact.name == "object.change_date":
        definition = _FROZEN_DEFAULT.sub(
            f"default '{FROZEN}'::timestamp without time zone", definition
        )
    return fact._replace(definition=definition.replace("public.gen_random", "gen_random"))


@lru_cache(maxsize=64)
def normalised(catalog: Catalog) -> Catalog:
    """Return the catalog with each fact in its normal form."""
    return Catalog(frozenset(map(normal, catalog.facts)))


@lru_cache(maxsize=64)
def thawed(catalog: Catalog) -> Catalog:
    """Return a release's catalog with `now()` where its script froze a default by mistake."""
    frozen = f"'{FROZEN}'::timestamp without time zone"
    return Catalog(
        frozenset(
            fact._replace(definition=fact.definition.replace(frozen, "now()"))
            if frozen in fact.definition
            else fact
            for fact in catalog.facts
        )
    )


GEOGRAPHY = ("object.geom", "col_object_geom_idx")
"""What a database has where PostGIS is."""


def portable(catalog: Catalog) -> Catalog:
    """Return the catalog without what differs between servers: PostGIS, and as `normal` says."""
    facts = normalised(thawed(catalog)).facts
    return Catalog(frozenset(fact for fact in facts if fact.name not in GEOGRAPHY))


@cache
def essence(fact: Fact) -> Fact:
    """Return the fact without what is cosmetic: names of constraints, owners of sequences,
    fill factors. Both shapes of a version are nearly the same then."""
    fact = normal(fact)
    if fact.kind == "sequence":
        return fact._replace(definition="")
    if fact.kind == "index":
        return fact._replace(definition=without_fill_factor(fact.definition))
    if fact.kind == "constraint":
        return fact._replace(name=fact.name.split(".", 1)[0])
    if fact.kind == "column" and fact.name == "object.change_date":
        return fact._replace(definition=fact.definition.partition(" default ")[0])
    return fact


def without_fill_factor(definition: str) -> str:
    """Return the definition of an index without its fill factor."""
    return _FILL_FACTOR.sub("", definition)
