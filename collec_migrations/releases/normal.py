"""What differs between sound databases of one version without meaning anything: taken out. Pure."""

import re
from functools import cache, lru_cache

from collec_migrations.catalog import Catalog, Fact

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
