"""A catalog by what a reader asks for: the facts of a role and kind by name."""

import re
from collections.abc import Mapping
from functools import cache

from collec_migrations.catalog import Catalog, Fact

Key = tuple[str, str, str]
"""Role, kind, name."""

WORD = re.compile(r'"(?:[^"]|"")*"|[^\W\d][\w$]*')
_NEXT_VALUE = re.compile(r"nextval\('((?:[^']|'')*)'::regclass\)")


def by_key(catalog: Catalog) -> Mapping[Key, Fact]:
    """Return the facts by role, kind and name."""
    return {(fact.role, fact.kind, fact.name): fact for fact in catalog.facts}


def table_of(fact: Fact) -> str:
    """Return the table that a fact belongs to: empty when it belongs to none."""
    if fact.kind in ("column", "constraint", "trigger"):
        return fact.name.split(".", 1)[0]
    if fact.kind == "index":
        rest = fact.definition.removeprefix("on ").removeprefix("UNIQUE ").removeprefix("ONLY ")
        found = WORD.match(rest)
        return bare(found[0]) if found else ""
    if fact.kind == "sequence" and fact.definition:
        return fact.definition.removeprefix("owned by ").split(".", 1)[0]
    return fact.name if fact.kind == "table" else ""


def column_of(fact: Fact) -> str:
    """Return the column's own name, of a column or of an owned sequence."""
    text = fact.definition if fact.kind == "sequence" else fact.name
    return text.split(".", 1)[1] if "." in text else ""


@cache
def words(definition: str) -> frozenset[str]:
    """Return the identifiers (and keywords) of a definition, without quotes."""
    return frozenset(bare(word) for word in WORD.findall(definition))


def referenced(definition: str) -> str:
    """Return the table that a foreign key points at: empty when it is no foreign key."""
    _, found, rest = definition.partition(" REFERENCES ")
    match = WORD.match(rest) if found else None
    return bare(match[0]) if match else ""


def own_words(definition: str) -> frozenset[str]:
    """Return the identifiers of a constraint on its own table's side."""
    return words(definition.partition(" REFERENCES ")[0])


def referenced_words(definition: str) -> frozenset[str]:
    """Return the identifiers that a foreign key names of the other table."""
    rest = definition.partition(" REFERENCES ")[2]
    return words(rest.partition(")")[0])


def sequence_of_default(definition: str) -> str:
    """Return the sequence that a column's default draws from: empty when there is none."""
    found = _NEXT_VALUE.search(definition)
    return bare(found[1].replace("''", "'")) if found else ""


def bare(name: str) -> str:
    """Return an identifier without its quotes."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
