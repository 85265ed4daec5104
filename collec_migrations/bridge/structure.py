"""The differences between the catalog of a release and that of a database, one a damage.

What is missing, extra or other only because something else is, is reported with it, not beside it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from collec_migrations import catalog
from collec_migrations.bridge import renames, views
from collec_migrations.bridge.catalog_reader import (
    Column,
    Key,
    by_key,
    column_of,
    referenced,
    sequence_of_default,
    table_of,
    words,
)
from collec_migrations.bridge.difference import Difference, Severity, State, ordered
from collec_migrations.catalog import FROZEN, Catalog, Fact

AS_INSTALLED = "as the installer of this version leaves it"
_BREAKING_KINDS = frozenset({"table", "column", "constraint", "view", "sequence", "function"})
_CAUSES = ("table", "column", "view", "sequence", "constraint", "index")
"""A thing can follow from one that stands before it here, or from another of its kind."""


def differences(
    *, expected: Catalog, observed: Catalog, alternative: Catalog | None = None
) -> tuple[Difference, ...]:
    """Return what to tell about `observed`, the worst first.

    `alternative` is the other legitimate shape of the version: what it explains is cosmetic.
    """
    expected, observed = catalog.thawed(catalog.normalised(expected)), catalog.normalised(observed)
    named, found = renames.undo(expected, observed)
    want, have = by_key(expected), by_key(named)
    gone = {key: fact for key, fact in want.items() if key not in have}
    more = [fact for key, fact in have.items() if key not in want]
    other = {key: have[key] for key in want.keys() & have.keys() if want[key] != have[key]}
    along = _changed_along(gone, other, want)
    reported = [
        *map(_renamed, found),
        *_lost(gone, want, along),
        *_more(more),
        *_changed(other, want, along),
    ]
    if alternative is not None:
        reported = _explained(reported, catalog.thawed(catalog.normalised(alternative)), observed)
    return ordered(reported)


def _line(
    severity: Severity,
    state: State,
    fact: Fact,
    sentence: str,
    *,
    observed: str = "",
    along: Iterable[Fact] = (),
) -> Difference:
    return Difference(
        severity=severity,
        state=state,
        role=fact.role,
        kind=fact.kind,
        name=fact.name,
        expected="" if state is State.EXTRA else fact.definition,
        observed=observed,
        along=tuple(sorted(_title(one) for one in along)),
        sentence=sentence,
    )


def _lost(
    gone: Mapping[Key, Fact], want: Mapping[Key, Fact], changed: Mapping[Key, tuple[Fact, ...]]
) -> Iterator[Difference]:
    for fact, missing in _grouped(gone.values(), want).items():
        along = (*missing, *(one for lost in (fact, *missing) for one in changed.get(lost[:3], ())))
        unique = fact.kind == "index" and fact.definition.startswith("on UNIQUE ")
        breaks = unique or fact.kind in _BREAKING_KINDS
        gone_views = ", ".join(sorted(one.name for one in along if one.kind == "view"))
        yield _line(
            Severity.BREAKS if breaks else Severity.DIFFERS,
            State.MISSING,
            fact,
            f"{_title(fact)} is missing" + (f", and with it view {gone_views}" * bool(gone_views)),
            along=along,
        )


def _more(more: list[Fact]) -> Iterator[Difference]:
    for fact, along in _grouped(more, {fact[:3]: fact for fact in more}).items():
        sentence = f"{_title(fact)} is not part of this version"
        yield _line(Severity.DIFFERS, State.EXTRA, fact, sentence,
                    observed=fact.definition, along=along)  # fmt: skip


def _changed(
    other: Mapping[Key, Fact], want: Mapping[Key, Fact], along: Mapping[Key, tuple[Fact, ...]]
) -> Iterator[Difference]:
    absorbed = {fact[:3] for facts in along.values() for fact in facts}
    for key in sorted(other.keys() - absorbed):
        severity, sentence = _judge(want[key], other[key])
        yield _line(severity, State.CHANGED, want[key], sentence,
                    observed=other[key].definition, along=along.get(key, ()))  # fmt: skip


def _renamed(rename: renames.Rename) -> Difference:
    cosmetic = rename.kind in ("constraint", "index", "sequence")
    fact = Fact(rename.role, rename.kind, rename.name, rename.definition)
    sentence = f"{_title(fact)} is named {rename.observed.split('.')[-1]} here"
    severity = Severity.COSMETIC if cosmetic else Severity.BREAKS
    return _line(severity, State.RENAMED, fact, sentence, observed=rename.observed)


def _judge(expected: Fact, observed: Fact) -> tuple[Severity, str]:
    """Return how bad a changed definition is, and the sentence."""
    want, have = expected.definition, observed.definition
    title = _title(expected)
    if expected.kind == "column":
        return _judge_column(expected.name, want, have)
    if expected.kind == "sequence":
        owner = have or "owned by no column"
        return Severity.COSMETIC, f"{title} is {owner} instead of {want or 'by none'}"
    if expected.kind == "index":
        if catalog.without_fill_factor(want) == catalog.without_fill_factor(have):
            return Severity.COSMETIC, f"{title} has another fill factor"
        unique = want.startswith("on UNIQUE ") != have.startswith("on UNIQUE ")
        severity = Severity.BREAKS if unique else Severity.DIFFERS
        return severity, f"{title} is {have!r} instead of {want!r}"
    if expected.kind == "constraint" and have == f"{want} NOT VALID":
        return Severity.DIFFERS, f"{title} was never checked on the rows there were (NOT VALID)"
    severity = Severity.BREAKS if expected.kind in _BREAKING_KINDS else Severity.DIFFERS
    return severity, f"{title} is {have!r} instead of {want!r}"


def _judge_column(name: str, expected: str, observed: str) -> tuple[Severity, str]:
    want, have = Column.parse(expected), Column.parse(observed)
    said: list[str] = []
    if want.type != have.type:
        said.append(f"has type {have.type} instead of {want.type}")
    if want.not_null != have.not_null:
        said.append("refuses nulls but should not" if have.not_null else "accepts nulls")
    severity = Severity.BREAKS if said else Severity.DIFFERS
    if want.default != have.default:
        if FROZEN in have.default:
            said.append("has a default frozen at the moment of installation")
        elif not have.default:
            said.append(f"lacks its default {want.default}")
        else:
            instead = f" instead of {want.default}" if want.default else ""
            said.append(f"has the default {have.default}{instead}")
    return severity, f"column {name} {', '.join(said)}"


def _explained(
    reported: Iterable[Difference], alternative: Catalog, observed: Catalog
) -> list[Difference]:
    """Return the differences, those that the other shape has too as cosmetic."""
    facts, have = by_key(alternative), by_key(observed)
    definitions = {(fact.role, table_of(fact), fact.definition) for fact in alternative.facts}

    def legitimate(one: Difference) -> bool:
        key = (one.role, one.kind, one.name)
        if one.state in (State.EXTRA, State.CHANGED):
            return key in facts and key in have and facts[key] == have[key]
        if one.state is State.MISSING and key not in facts:
            fact = Fact(*key, one.expected)
            same = (fact.role, table_of(fact), fact.definition) in definitions
            if one.kind not in ("constraint", "index") or not same:
                return True
            # There under the installer's name, which this version has for something else.
            return any(
                other.kind == one.kind
                and other.definition == fact.definition
                and facts.get(other[:3]) == other
                for other in observed.facts
            )
        return False

    return [
        one.explained(AS_INSTALLED, Severity.COSMETIC) if legitimate(one) else one
        for one in reported
    ]


def _title(fact: Fact) -> str:
    """Return how to call a thing: with its table, when its name does not say it."""
    if fact.kind == "constraint":
        table, name = fact.name.split(".", 1)
        sorts = {"PRIMARY KEY": "primary key", "FOREIGN KEY": "foreign key",
                 "UNIQUE": "unique constraint", "CHECK": "check"}  # fmt: skip
        sort = next((sort for beginning, sort in sorts.items()
                     if fact.definition.startswith(beginning)), "constraint")  # fmt: skip
        return f"{sort} {name} of table {table}"
    if fact.kind == "index":
        unique = "unique index" if fact.definition.startswith("on UNIQUE ") else "index"
        return f"{unique} {fact.name} of table {table_of(fact)}"
    return f"{fact.kind} {fact.name}"


# What follows from what ------------------------------------------------------------------------


def _changed_along(
    gone: Mapping[Key, Fact], other: Mapping[Key, Fact], want: Mapping[Key, Fact]
) -> dict[Key, tuple[Fact, ...]]:
    """Return what is other because of a missing thing, or of a column that is other."""
    found: dict[Key, tuple[Fact, ...]] = {}
    for key, observed in other.items():
        cause = _cause_of_change(want[key], observed, gone, other)
        if cause is not None:
            found[cause] = (*found.get(cause, ()), want[key])
    return found


def _cause_of_change(
    fact: Fact, observed: Fact, gone: Mapping[Key, Fact], other: Mapping[Key, Fact]
) -> Key | None:
    """Return what made this fact other, None when it is a damage of its own."""
    if fact.kind == "column":
        # Dropping a sequence takes the default that draws from it.
        sequence = (fact.role, "sequence", sequence_of_default(fact.definition))
        without = fact.definition.partition(" default ")[0]
        return sequence if sequence in gone and observed.definition == without else None
    if fact.kind == "sequence" and not observed.definition:
        # Without its column, or its column's table, a sequence is owned by none.
        table = (fact.role, "table", table_of(fact))
        column = (fact.role, "column", fact.definition.removeprefix("owned by "))
        return next((key for key in (table, column) if key in gone), None)
    if fact.kind in ("index", "constraint"):
        # Another type of a column adds or takes casts in what mentions it.
        for key in other:
            if key[:2] == (fact.role, "column"):
                table_name, column_name = key[2].split(".", 1)
                if table_name == table_of(fact) and column_name in words(fact.definition):
                    return key
    return None


def _grouped(facts: Iterable[Fact], want: Mapping[Key, Fact]) -> dict[Fact, tuple[Fact, ...]]:
    """Return the facts that follow from none, each with all that follow from it.

    Only what names the same table, sequence or key can follow: of thousands of a site's own
    tables each is looked at beside its own things alone.
    """
    found = sorted(facts, key=lambda fact: (_weight(fact), fact))
    place = {fact: number for number, fact in enumerate(found)}
    drawing = _drawing(want)
    groups: dict[Fact, list[Fact]] = {}
    root: dict[Fact, Fact] = {}
    by_table: dict[str, list[Fact]] = {}
    for fact in found:
        near = {table_of(fact), referenced(fact.definition), *_read_by(fact),
                drawing.get((fact.role, fact.name), "").split(".", 1)[0]}  # fmt: skip
        causes = {one for table in near - {""} for one in by_table.get(table, ())}
        cause = min((one for one in causes if _follows(one, fact, drawing)),
                    key=place.__getitem__, default=None)  # fmt: skip
        root[fact] = root[cause] if cause is not None else fact
        groups.setdefault(root[fact], [])
        if cause is not None:
            groups[root[fact]].append(fact)
        by_table.setdefault(fact.name if fact.kind == "view" else table_of(fact), []).append(fact)
    return {fact: tuple(along) for fact, along in groups.items()}


def _weight(fact: Fact) -> tuple[int, bool]:
    kind = _CAUSES.index(fact.kind) if fact.kind in _CAUSES else len(_CAUSES)
    return kind, fact.definition.startswith("FOREIGN KEY")


def _read_by(fact: Fact) -> frozenset[str]:
    return views.READS.get(fact.name, frozenset()) if fact.kind == "view" else frozenset()


def _drawing(want: Mapping[Key, Fact]) -> dict[tuple[str, str], str]:
    """Return the one column whose default draws from a sequence; none where several do."""
    found: dict[tuple[str, str], list[str]] = {}
    for fact in want.values():
        if fact.kind == "column" and (name := sequence_of_default(fact.definition)):
            found.setdefault((fact.role, name), []).append(fact.name)
    return {key: columns[0] for key, columns in found.items() if len(columns) == 1}


def _follows(cause: Fact, fact: Fact, drawing: Mapping[tuple[str, str], str]) -> bool:
    """Say whether the loss of `cause` takes `fact` along."""
    if fact.kind == "view" and cause.kind in ("table", "column", "view"):
        return (cause.name if cause.kind == "view" else table_of(cause)) in _read_by(fact)
    rule = _RULES.get(cause.kind)
    return rule is not None and rule(cause, fact, drawing.get((fact.role, fact.name), ""))


def _of_table(cause: Fact, fact: Fact, column: str) -> bool:
    if fact.kind == "constraint" and referenced(fact.definition) == cause.name:
        return True
    tables = (table_of(fact), column.split(".", 1)[0] if fact.kind == "sequence" else "")
    return cause.role == fact.role and cause.name in tables


def _of_column(cause: Fact, fact: Fact, drawn_by: str) -> bool:
    table, column = table_of(cause), column_of(cause)
    if fact.kind == "constraint":
        own, _, other = fact.definition.partition(" REFERENCES ")
        if cause.role == fact.role and table_of(fact) == table:
            return column in words(own)
        return referenced(fact.definition) == table and column in words(other.partition(")")[0])
    if cause.role != fact.role:
        return False
    if fact.kind == "index":
        return table_of(fact) == table and column in words(fact.definition)
    if fact.kind == "sequence":
        return cause.name in (fact.definition.removeprefix("owned by "), drawn_by)
    return False


def _of_key(cause: Fact, fact: Fact, _: str) -> bool:
    """Say whether `fact` is a foreign key that points at the lost key `cause`."""
    if fact.kind != "constraint" or not cause.definition.startswith(("PRIMARY KEY", "UNIQUE")):
        return False
    if referenced(fact.definition) != table_of(cause):
        return False
    key = words(cause.definition) - {"PRIMARY", "UNIQUE", "KEY", "DEFERRABLE"}
    return key <= words(fact.definition.partition(" REFERENCES ")[2].partition(")")[0])


_RULES: Mapping[str, Callable[[Fact, Fact, str], bool]] = {
    "table": _of_table,
    "column": _of_column,
    "constraint": _of_key,
}
