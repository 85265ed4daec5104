"""The differences between the catalog of a release and that of a database, one a damage."""

from collections.abc import Iterable, Mapping

from collec_migrations import catalog
from collec_migrations.bridge import catalog_index, columns, consequences, renames
from collec_migrations.bridge.difference import Difference, Severity, State, ordered
from collec_migrations.catalog import Catalog, Fact

AS_INSTALLED = "as the installer of this version leaves it"
_BREAKING_KINDS = frozenset({"table", "column", "constraint", "view", "sequence", "function"})


def differences(
    *, expected: Catalog, observed: Catalog, alternative: Catalog | None = None
) -> tuple[Difference, ...]:
    """Return what to tell about `observed`, the worst first.

    `alternative` is the other legitimate shape of the version: what it explains is cosmetic.
    """
    expected, observed = catalog.thawed(catalog.normalised(expected)), catalog.normalised(observed)
    named, found = renames.undo(expected, observed)
    want, have = catalog_index.by_key(expected), catalog_index.by_key(named)
    gone = {key: fact for key, fact in want.items() if key not in have}
    more = {key: fact for key, fact in have.items() if key not in want}
    other = {key: have[key] for key in want.keys() & have.keys() if want[key] != have[key]}
    told = [
        *map(_renamed, found),
        *_lost(gone, want, consequences.changed_along(gone, other, want)),
        *_more(more),
        *_changed(other, want, consequences.changed_along(gone, other, want)),
    ]
    if alternative is not None:
        told = _explained(told, catalog.thawed(catalog.normalised(alternative)), observed)
    return ordered(told)


def _lost(
    gone: Mapping[catalog_index.Key, Fact],
    want: Mapping[catalog_index.Key, Fact],
    changed: Mapping[catalog_index.Key, tuple[Fact, ...]],
) -> Iterable[Difference]:
    groups = consequences.missing(list(gone.values()), want)
    for fact, missing in groups.items():
        keys = [(one.role, one.kind, one.name) for one in (fact, *missing)]
        along = (*missing, *(one for key in keys for one in changed.get(key, ())))
        yield Difference(
            severity=_severity_of_loss(fact),
            state=State.MISSING,
            role=fact.role,
            kind=fact.kind,
            name=fact.name,
            expected=fact.definition,
            along=tuple(sorted(_title(one) for one in along)),
            facts=(fact, *along),
            sentence=f"{_title(fact)} is missing" + _with(along),
        )


def _more(more: Mapping[catalog_index.Key, Fact]) -> Iterable[Difference]:
    for fact, along in consequences.extra(list(more.values())).items():
        yield Difference(
            severity=Severity.DIFFERS,
            state=State.EXTRA,
            role=fact.role,
            kind=fact.kind,
            name=fact.name,
            observed=fact.definition,
            along=tuple(sorted(_title(one) for one in along)),
            sentence=f"{_title(fact)} is not part of this version",
        )


def _changed(
    other: Mapping[catalog_index.Key, Fact],
    want: Mapping[catalog_index.Key, Fact],
    along: Mapping[catalog_index.Key, tuple[Fact, ...]],
) -> Iterable[Difference]:
    absorbed = {(f.role, f.kind, f.name) for facts in along.values() for f in facts}
    for key in sorted(other.keys() - absorbed):
        fact, observed = want[key], other[key]
        severity, sentence = _judge(fact, observed)
        yield Difference(
            severity=severity,
            state=State.CHANGED,
            role=fact.role,
            kind=fact.kind,
            name=fact.name,
            expected=fact.definition,
            observed=observed.definition,
            along=tuple(sorted(_title(one) for one in along.get(key, ()))),
            facts=(fact,),
            sentence=sentence,
        )


def _judge(expected: Fact, observed: Fact) -> tuple[Severity, str]:
    """Return how bad a changed definition is, and the sentence."""
    want, have = expected.definition, observed.definition
    title = _title(expected)
    if expected.kind == "column":
        return columns.judge(expected.name, want, have)
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


def _severity_of_loss(fact: Fact) -> Severity:
    unique = fact.kind == "index" and fact.definition.startswith("on UNIQUE ")
    return Severity.BREAKS if unique or fact.kind in _BREAKING_KINDS else Severity.DIFFERS


def _renamed(rename: renames.Rename) -> Difference:
    cosmetic = rename.kind in ("constraint", "index", "sequence")
    title = _title(Fact(rename.role, rename.kind, rename.name, rename.definition))
    return Difference(
        severity=Severity.COSMETIC if cosmetic else Severity.BREAKS,
        state=State.RENAMED,
        role=rename.role,
        kind=rename.kind,
        name=rename.name,
        expected=rename.definition,
        observed=rename.observed,
        sentence=f"{title} is named {rename.observed.split('.')[-1]} here",
    )


def _explained(
    told: Iterable[Difference], alternative: Catalog, observed: Catalog
) -> list[Difference]:
    """Return the differences, those that the other shape has too as cosmetic."""
    facts, have = catalog_index.by_key(alternative), catalog_index.by_key(observed)
    definitions = {(f.role, catalog_index.table_of(f), f.definition) for f in alternative.facts}

    def legitimate(one: Difference) -> bool:
        key = (one.role, one.kind, one.name)
        if one.state is State.EXTRA or one.state is State.CHANGED:
            return key in facts and key in have and facts[key] == have[key]
        if one.state is State.MISSING and key not in facts:
            fact = Fact(one.role, one.kind, one.name, one.expected)
            same = (fact.role, catalog_index.table_of(fact), fact.definition) in definitions
            if one.kind not in ("constraint", "index") or not same:
                return True
            # There under the installer's name, which this version has for something else.
            return any(
                other.kind == one.kind
                and other.definition == fact.definition
                and facts.get((other.role, other.kind, other.name)) == other
                for other in observed.facts
            )
        return False

    return [
        one.explained(AS_INSTALLED, Severity.COSMETIC) if legitimate(one) else one for one in told
    ]


def _title(fact: Fact) -> str:
    """Return how to call a thing: with its table, when its name does not say it."""
    if fact.kind == "constraint":
        table, name = fact.name.split(".", 1)
        return f"{_sort(fact.definition)} {name} of table {table}"
    if fact.kind == "index":
        unique = "unique index" if fact.definition.startswith("on UNIQUE ") else "index"
        return f"{unique} {fact.name} of table {catalog_index.table_of(fact)}"
    return f"{fact.kind} {fact.name}"


def _sort(definition: str) -> str:
    for beginning, sort in (
        ("PRIMARY KEY", "primary key"),
        ("FOREIGN KEY", "foreign key"),
        ("UNIQUE", "unique constraint"),
        ("CHECK", "check"),
    ):
        if definition.startswith(beginning):
            return sort
    return "constraint"


def _with(along: tuple[Fact, ...]) -> str:
    """Return what else went that a reader would not expect: what is of other tables."""
    others = [one for one in along if one.kind in ("view", "constraint")]
    views = sorted(one.name for one in others if one.kind == "view")
    return f", and with it view {', '.join(views)}" if views else ""
