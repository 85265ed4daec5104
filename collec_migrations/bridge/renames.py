"""Tell what was renamed, and give it its own name back in the facts that mention it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from collec_migrations import versions
from collec_migrations.bridge.catalog_reader import (
    WORD,
    bare,
    referenced,
    sequence_of_default,
    table_of,
)
from collec_migrations.catalog import Catalog, Fact

Finder = Callable[[Catalog, Catalog], list["Rename"]]
LIKENESS = 0.7
"""Share of equal columns from which a missing and an extra table are held for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """One thing that stands under another name."""

    role: str
    kind: str
    name: str
    """As the release names it; for a column `table.column`."""
    observed: str
    definition: str


def undo(
    expected: Catalog, observed: Catalog, version: str = ""
) -> tuple[Catalog, tuple[Rename, ...]]:
    """Return the observed catalog with the release's names, and what had another one.

    With a version, what the steps to it and from it rename is known, however unlike it is.
    """
    found: list[Rename] = []
    of_steps = [
        (_declared(version, "table"), _replace_table),
        (_declared(version, "column"), _replace_column),
    ]
    for find, replace in (*of_steps, *_STAGES):
        stage = find(expected, observed)
        for rename in stage:
            observed = Catalog(frozenset(replace(rename, fact) for fact in observed.facts))
        found += stage
    return observed, tuple(found)


def _declared(version: str, kind: str) -> Finder:
    """Return what finds the tables or columns that a step to or from the version renames."""
    known = frozenset(_known(version)) if version else frozenset()

    def find(expected: Catalog, observed: Catalog) -> list[Rename]:
        return _paired(
            expected,
            observed,
            kind,
            lambda gone, new: (gone.role, kind, gone.name, new.name) in known,
        )

    return find


def _known(version: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield role, kind, own name and that of the version before or after."""
    for older, newer in versions.steps():
        if version not in (older, newer):
            continue
        renamed = versions.declared(newer).renames
        is_newer = version == newer
        for path, new in renamed.items():
            role, table, *column = path.split(".")
            if not column:
                yield (role, "table", *((new, table) if is_newer else (table, new)))
                continue
            own = renamed.get(f"{role}.{table}", table) if is_newer else table
            pair = (new, column[0]) if is_newer else (column[0], new)
            yield (role, "column", f"{own}.{pair[0]}", f"{own}.{pair[1]}")


def _renamed_tables(expected: Catalog, observed: Catalog) -> list[Rename]:
    want, have = _columns(expected), _columns(observed)

    def alike(gone: Fact, new: Fact) -> bool:
        one = want.get((gone.role, gone.name), set())
        other = have.get((new.role, new.name), set())
        return len(one & other) >= LIKENESS * max(len(one | other), 1)

    return _paired(expected, observed, "table", alike)


def _columns(catalog: Catalog) -> dict[tuple[str, str], set[tuple[str, str]]]:
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for fact in catalog.facts:
        if fact.kind == "column":
            table, column = fact.name.split(".", 1)
            found.setdefault((fact.role, table), set()).add((column, fact.definition))
    return found


def _renamed_columns(expected: Catalog, observed: Catalog) -> list[Rename]:
    present = {(fact.role, fact.name) for fact in observed.facts if fact.kind == "table"}
    return _paired(
        expected,
        observed,
        "column",
        lambda gone, new: (
            (gone.role, table_of(gone)) in present and gone.definition == new.definition
        ),
        table_of,
    )


def _renamed_sequences(expected: Catalog, observed: Catalog) -> list[Rename]:
    want, have = _users(expected), _users(observed)
    return _paired(
        expected,
        observed,
        "sequence",
        lambda gone, new: bool(
            (gone.definition and gone.definition == new.definition)
            or want.get((gone.role, gone.name), set()) & have.get((new.role, new.name), set())
        ),
    )


def _users(catalog: Catalog) -> dict[tuple[str, str], set[str]]:
    """Return the columns that draw from each sequence."""
    found: dict[tuple[str, str], set[str]] = {}
    for fact in catalog.facts:
        if fact.kind == "column" and (name := sequence_of_default(fact.definition)):
            found.setdefault((fact.role, name), set()).add(fact.name)
    return found


def _renamed_alike(kind: str) -> Finder:
    """Return what finds things of a kind that have the same definition under another name."""

    def key(fact: Fact) -> str:
        arguments = fact.name.partition("(")[2] if kind == "function" else ""
        return f"{table_of(fact) if kind != 'view' else ''} {arguments} {fact.definition}"

    return lambda expected, observed: _paired(expected, observed, kind, lambda *_: True, key)


def _paired(
    expected: Catalog,
    observed: Catalog,
    kind: str,
    are_one: Callable[[Fact, Fact], bool],
    key: Callable[[Fact], str] = lambda _: "",
) -> list[Rename]:
    """Return the missing and the extra things of a kind that are held for one and the same.

    Only those of one role and with the same key are compared; a thing with two partners has none.
    """
    missing, extra = _apart(expected, observed, kind)
    if not missing:
        return []
    by_key: dict[tuple[str, str], list[Fact]] = {}
    for new in extra:
        by_key.setdefault((new.role, key(new)), []).append(new)
    pairs = [
        (gone, new)
        for gone in missing
        for new in by_key.get((gone.role, key(gone)), ())
        if are_one(gone, new)
    ]
    one, other = Counter(gone for gone, _ in pairs), Counter(new for _, new in pairs)
    return [
        Rename(role=gone.role, kind=kind, name=gone.name, observed=new.name,
               definition=gone.definition)
        for gone, new in pairs
        if one[gone] == other[new] == 1
    ]  # fmt: skip


def _apart(expected: Catalog, observed: Catalog, kind: str) -> tuple[list[Fact], list[Fact]]:
    """Return what stands under no such name in the other catalog: missing, extra."""
    one = {(f.role, f.name): f for f in expected.facts if f.kind == kind}
    other = {(f.role, f.name): f for f in observed.facts if f.kind == kind}
    return (
        [fact for key, fact in sorted(one.items()) if key not in other],
        [fact for key, fact in sorted(other.items()) if key not in one],
    )


def _replace_name(rename: Rename, fact: Fact) -> Fact:
    if (fact.role, fact.kind, fact.name) == (rename.role, rename.kind, rename.observed):
        return fact._replace(name=rename.name)
    return fact


def _replace_table(rename: Rename, fact: Fact) -> Fact:
    new, own = rename.observed, rename.name
    name, definition = fact.name, fact.definition
    if referenced(definition) == new:
        head, word, rest = definition.partition(" REFERENCES ")
        definition = head + word + WORD.sub(lambda _: _quoted(own), rest, count=1)
    if fact.role == rename.role and table_of(fact) == new:
        if fact.kind == "index":
            definition = re.sub(WORD, _swap({new: own}), definition)
        elif fact.kind == "sequence":
            definition = definition.replace(f"owned by {new}.", f"owned by {own}.", 1)
        else:
            name = own + name[len(new) :]
    return fact._replace(name=name, definition=definition)


def _replace_column(rename: Rename, fact: Fact) -> Fact:
    table, own = rename.name.split(".", 1)
    new = rename.observed.split(".", 1)[1]
    swap = _swap({new: own})
    definition = fact.definition
    if fact.kind == "constraint":
        head, word, rest = definition.partition(" REFERENCES ")
        if fact.role == rename.role and table_of(fact) == table:
            head = re.sub(WORD, swap, head)
        if referenced(definition) == table:
            rest = re.sub(WORD, swap, rest)
        return fact._replace(definition=head + word + rest)
    if fact.role != rename.role or table_of(fact) != table:
        return fact
    if fact.kind == "column":
        return fact._replace(name=rename.name) if fact.name == rename.observed else fact
    if fact.kind == "sequence":
        return fact._replace(definition=definition.replace(f".{new}", f".{own}"))
    return fact._replace(definition=re.sub(WORD, swap, definition))


def _replace_sequence(rename: Rename, fact: Fact) -> Fact:
    if fact.kind == "column" and sequence_of_default(fact.definition) == rename.observed:
        default = f"nextval('{_quoted(rename.name)}'::regclass)"
        return fact._replace(definition=re.sub(r"nextval\(.*\)", default, fact.definition))
    return _replace_name(rename, fact)


def _swap(names: dict[str, str]) -> Callable[[re.Match[str]], str]:
    def swap(match: re.Match[str]) -> str:
        own = names.get(bare(match[0]))
        return match[0] if own is None else _quoted(own)

    return swap


def _quoted(name: str) -> str:
    """Return a name of a release as PostgreSQL prints it: only plain ones occur, and `user`."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else '"' + name + '"'


_STAGES: tuple[tuple[Finder, Callable[[Rename, Fact], Fact]], ...] = (
    (_renamed_tables, _replace_table),
    (_renamed_columns, _replace_column),
    (_renamed_sequences, _replace_sequence),
    (_renamed_alike("constraint"), _replace_name),
    (_renamed_alike("index"), _replace_name),
    (_renamed_alike("view"), _replace_name),
    (_renamed_alike("function"), _replace_name),
)
