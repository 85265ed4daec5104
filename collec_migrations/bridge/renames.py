"""Tell what was renamed, and give it its own name back in the facts that mention it."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from collec_migrations import versions
from collec_migrations.bridge import catalog_index
from collec_migrations.catalog import Catalog, Fact

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


def _declared(version: str, kind: str) -> Callable[[Catalog, Catalog], list[Rename]]:
    """Return what finds the tables or columns that a step to or from the version renames."""
    known = frozenset(_known(version)) if version else frozenset()

    def find(expected: Catalog, observed: Catalog) -> list[Rename]:
        missing, extra = _apart(expected, observed, kind)
        pairs = [
            (gone, new)
            for gone in missing
            for new in extra
            if (gone.role, kind, gone.name, new.name) in known
        ]
        return [_rename(gone, new) for gone, new in _unambiguous(pairs)]

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
    missing, extra = _apart(expected, observed, "table")
    columns = {True: _columns(expected), False: _columns(observed)}
    pairs = [
        (gone, new)
        for gone in missing
        for new in extra
        if gone.role == new.role
        and _likeness(
            columns[True].get((gone.role, gone.name), set()),
            columns[False].get((new.role, new.name), set()),
        )
        >= LIKENESS
    ]
    return [_rename(gone, new) for gone, new in _unambiguous(pairs)]


def _columns(catalog: Catalog) -> dict[tuple[str, str], set[tuple[str, str]]]:
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for fact in catalog.facts:
        if fact.kind == "column":
            table, column = fact.name.split(".", 1)
            found.setdefault((fact.role, table), set()).add((column, fact.definition))
    return found


def _likeness(one: set[tuple[str, str]], other: set[tuple[str, str]]) -> float:
    return len(one & other) / max(len(one | other), 1)


def _renamed_columns(expected: Catalog, observed: Catalog) -> list[Rename]:
    missing, extra = _apart(expected, observed, "column")
    present = {(fact.role, fact.name) for fact in observed.facts if fact.kind == "table"}
    pairs = [
        (gone, new)
        for gone in missing
        for new in extra
        if (gone.role, catalog_index.table_of(gone)) == (new.role, catalog_index.table_of(new))
        and (gone.role, catalog_index.table_of(gone)) in present
        and gone.definition == new.definition
    ]
    return [_rename(gone, new) for gone, new in _unambiguous(pairs)]


def _renamed_sequences(expected: Catalog, observed: Catalog) -> list[Rename]:
    missing, extra = _apart(expected, observed, "sequence")
    users = {True: _users(expected), False: _users(observed)}
    pairs = [
        (gone, new)
        for gone in missing
        for new in extra
        if gone.role == new.role
        and (
            (gone.definition and gone.definition == new.definition)
            or users[True].get((gone.role, gone.name), set())
            & users[False].get((new.role, new.name), set())
        )
    ]
    return [_rename(gone, new) for gone, new in _unambiguous(pairs)]


def _users(catalog: Catalog) -> dict[tuple[str, str], set[str]]:
    """Return the columns that draw from each sequence."""
    found: dict[tuple[str, str], set[str]] = {}
    for fact in catalog.facts:
        if fact.kind == "column" and (name := catalog_index.sequence_of_default(fact.definition)):
            found.setdefault((fact.role, name), set()).add(fact.name)
    return found


def _renamed_alike(kind: str) -> Callable[[Catalog, Catalog], list[Rename]]:
    """Return what finds things of a kind that have the same definition under another name."""

    def find(expected: Catalog, observed: Catalog) -> list[Rename]:
        missing, extra = _apart(expected, observed, kind)
        pairs = [
            (gone, new)
            for gone in missing
            for new in extra
            if gone.role == new.role
            and gone.definition == new.definition
            and catalog_index.table_of(gone) == catalog_index.table_of(new)
            and _arguments(gone) == _arguments(new)
        ]
        return [_rename(gone, new) for gone, new in _unambiguous(pairs)]

    return find


def _arguments(fact: Fact) -> str:
    return fact.name.partition("(")[2] if fact.kind == "function" else ""


def _apart(expected: Catalog, observed: Catalog, kind: str) -> tuple[list[Fact], list[Fact]]:
    """Return what stands under no such name in the other catalog: missing, extra."""
    one = {(f.role, f.name): f for f in expected.facts if f.kind == kind}
    other = {(f.role, f.name): f for f in observed.facts if f.kind == kind}
    return (
        [fact for key, fact in sorted(one.items()) if key not in other],
        [fact for key, fact in sorted(other.items()) if key not in one],
    )


def _unambiguous(pairs: list[tuple[Fact, Fact]]) -> Iterable[tuple[Fact, Fact]]:
    """Yield the pairs whose two sides occur in no other pair."""
    gone = [one for one, _ in pairs]
    new = [other for _, other in pairs]
    return (pair for pair in pairs if gone.count(pair[0]) == 1 and new.count(pair[1]) == 1)


def _rename(gone: Fact, new: Fact) -> Rename:
    return Rename(
        role=gone.role,
        kind=gone.kind,
        name=gone.name,
        observed=new.name,
        definition=gone.definition,
    )


def _replace_name(rename: Rename, fact: Fact) -> Fact:
    if (fact.role, fact.kind, fact.name) == (rename.role, rename.kind, rename.observed):
        return fact._replace(name=rename.name)
    return fact


def _replace_table(rename: Rename, fact: Fact) -> Fact:
    new, own = rename.observed, rename.name
    name, definition = fact.name, fact.definition
    if catalog_index.referenced(definition) == new:
        head, word, rest = definition.partition(" REFERENCES ")
        definition = head + word + catalog_index.WORD.sub(lambda _: _quoted(own), rest, count=1)
    if fact.role == rename.role and catalog_index.table_of(fact) == new:
        if fact.kind == "index":
            definition = re.sub(catalog_index.WORD, _swap({new: own}), definition)
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
        if fact.role == rename.role and catalog_index.table_of(fact) == table:
            head = re.sub(catalog_index.WORD, swap, head)
        if catalog_index.referenced(definition) == table:
            rest = re.sub(catalog_index.WORD, swap, rest)
        return fact._replace(definition=head + word + rest)
    if fact.role != rename.role or catalog_index.table_of(fact) != table:
        return fact
    if fact.kind == "column":
        return fact._replace(name=rename.name) if fact.name == rename.observed else fact
    if fact.kind == "sequence":
        return fact._replace(definition=definition.replace(f".{new}", f".{own}"))
    return fact._replace(definition=re.sub(catalog_index.WORD, swap, definition))


def _replace_sequence(rename: Rename, fact: Fact) -> Fact:
    if (
        fact.kind == "column"
        and catalog_index.sequence_of_default(fact.definition) == rename.observed
    ):
        default = f"nextval('{_quoted(rename.name)}'::regclass)"
        return fact._replace(definition=re.sub(r"nextval\(.*\)", default, fact.definition))
    return _replace_name(rename, fact)


def _swap(names: dict[str, str]) -> Callable[[re.Match[str]], str]:
    def swap(match: re.Match[str]) -> str:
        own = names.get(catalog_index.bare(match[0]))
        return match[0] if own is None else _quoted(own)

    return swap


def _quoted(name: str) -> str:
    """Return a name of a release as PostgreSQL prints it: only plain ones occur, and `user`."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else '"' + name + '"'


_STAGES: tuple[
    tuple[Callable[[Catalog, Catalog], list[Rename]], Callable[[Rename, Fact], Fact]], ...
] = (
    (_renamed_tables, _replace_table),
    (_renamed_columns, _replace_column),
    (_renamed_sequences, _replace_sequence),
    (_renamed_alike("constraint"), _replace_name),
    (_renamed_alike("index"), _replace_name),
    (_renamed_alike("view"), _replace_name),
    (_renamed_alike("function"), _replace_name),
)
