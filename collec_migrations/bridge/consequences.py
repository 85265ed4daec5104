"""What is missing, extra or other only because something else is: told with it, not beside it."""

from collections.abc import Callable, Iterable, Mapping

from collec_migrations.bridge import catalog_index, view_dependencies
from collec_migrations.catalog import Fact

_WEIGHT = ("table", "column", "view", "sequence", "constraint", "index")
"""A thing can follow from one that stands before it here, or from another of its kind."""


def missing(
    facts: Iterable[Fact], want: Mapping[catalog_index.Key, Fact]
) -> dict[Fact, tuple[Fact, ...]]:
    """Return each missing fact that is a damage of its own, with those that follow from it."""
    return _grouped(facts, lambda cause, fact: _follows(cause, fact, want))


def extra(facts: Iterable[Fact]) -> dict[Fact, tuple[Fact, ...]]:
    """Return each extra fact that is a thing of its own, with those that belong to it."""
    found = list(facts)
    want = {(fact.role, fact.kind, fact.name): fact for fact in found}
    return _grouped(found, lambda cause, fact: _follows(cause, fact, want))


def changed_along(
    gone: Mapping[catalog_index.Key, Fact],
    other: Mapping[catalog_index.Key, Fact],
    want: Mapping[catalog_index.Key, Fact],
) -> dict[catalog_index.Key, tuple[Fact, ...]]:
    """Return what is other because of a missing thing, or of a column that is other."""
    found: dict[catalog_index.Key, tuple[Fact, ...]] = {}
    for key, observed in other.items():
        cause = _cause_of_change(want[key], observed, gone, other)
        if cause is not None:
            found[cause] = (*found.get(cause, ()), want[key])
    return found


def _cause_of_change(
    fact: Fact,
    observed: Fact,
    gone: Mapping[catalog_index.Key, Fact],
    other: Mapping[catalog_index.Key, Fact],
) -> catalog_index.Key | None:
    """Return what made this fact other, None when it is a damage of its own."""
    if fact.kind == "column":
        # Dropping a sequence takes the default that draws from it.
        sequence = (fact.role, "sequence", catalog_index.sequence_of_default(fact.definition))
        without = fact.definition.partition(" default ")[0]
        return sequence if sequence in gone and observed.definition == without else None
    if fact.kind == "sequence" and not observed.definition:
        # Without its column, or its column's table, a sequence is owned by none.
        table = (fact.role, "table", catalog_index.table_of(fact))
        column = (fact.role, "column", fact.definition.removeprefix("owned by "))
        return next((key for key in (table, column) if key in gone), None)
    if fact.kind in ("index", "constraint"):
        # Another type of a column adds or takes casts in what mentions it.
        table_name = catalog_index.table_of(fact)
        for key in other:
            if key[:2] == (fact.role, "column"):
                table_, column_ = key[2].split(".", 1)
                if table_ == table_name and column_ in catalog_index.words(fact.definition):
                    return key
    return None


def _grouped(
    facts: Iterable[Fact], follows: Callable[[Fact, Fact], bool]
) -> dict[Fact, tuple[Fact, ...]]:
    """Return the facts that follow from none, each with all that follow from it."""
    found = sorted(facts, key=lambda fact: (_weight(fact), fact))
    groups: dict[Fact, list[Fact]] = {}
    root: dict[Fact, Fact] = {}
    causes: list[Fact] = []  # of thousands of functions none can be one
    for fact in found:
        cause = next((one for one in causes if follows(one, fact)), None)
        if fact.kind in ("table", "column", "view", "constraint"):
            causes.append(fact)
        root[fact] = root[cause] if cause is not None else fact
        if cause is None:
            groups[fact] = []
        else:
            groups[root[fact]].append(fact)
    return {fact: tuple(along) for fact, along in groups.items()}


def _weight(fact: Fact) -> tuple[int, bool]:
    kind = _WEIGHT.index(fact.kind) if fact.kind in _WEIGHT else len(_WEIGHT)
    return kind, fact.definition.startswith("FOREIGN KEY")


def _follows(cause: Fact, fact: Fact, want: Mapping[catalog_index.Key, Fact]) -> bool:
    """Say whether the loss of `cause` takes `fact` along."""
    if fact.kind == "view" and cause.kind in ("table", "column", "view"):
        what = cause.name if cause.kind == "view" else catalog_index.table_of(cause)
        return view_dependencies.reads(fact.name, what)
    if cause.kind == "table":
        return _of_table(cause, fact, want)
    if cause.kind == "column":
        return _of_column(cause, fact, want)
    if cause.kind == "constraint":
        return _key_of(cause, fact)
    return False


def _of_table(cause: Fact, fact: Fact, want: Mapping[catalog_index.Key, Fact]) -> bool:
    if fact.kind == "constraint" and catalog_index.referenced(fact.definition) == cause.name:
        return True
    if fact.kind == "sequence":
        column = _drawing(fact, want)
        return cause.role == fact.role and cause.name in (
            catalog_index.table_of(fact),
            column.split(".", 1)[0],
        )
    return cause.role == fact.role and catalog_index.table_of(fact) == cause.name


def _of_column(cause: Fact, fact: Fact, want: Mapping[catalog_index.Key, Fact]) -> bool:
    table, column = catalog_index.table_of(cause), catalog_index.column_of(cause)
    if fact.kind == "constraint":
        if cause.role == fact.role and catalog_index.table_of(fact) == table:
            return column in catalog_index.own_words(fact.definition)
        pointing = catalog_index.referenced(fact.definition) == table
        return pointing and column in catalog_index.referenced_words(fact.definition)
    if cause.role != fact.role:
        return False
    if fact.kind == "index":
        return catalog_index.table_of(fact) == table and column in catalog_index.words(
            fact.definition
        )
    if fact.kind == "sequence":
        return cause.name in (fact.definition.removeprefix("owned by "), _drawing(fact, want))
    return False


def _drawing(sequence: Fact, want: Mapping[catalog_index.Key, Fact]) -> str:
    """Return the one column whose default draws from a sequence: empty when several do."""
    columns = [
        fact.name
        for fact in want.values()
        if fact.kind == "column"
        and fact.role == sequence.role
        and catalog_index.sequence_of_default(fact.definition) == sequence.name
    ]
    return columns[0] if len(columns) == 1 else ""


def _key_of(cause: Fact, fact: Fact) -> bool:
    """Say whether `fact` is a foreign key that points at the lost key `cause`."""
    if fact.kind != "constraint" or not cause.definition.startswith(("PRIMARY KEY", "UNIQUE")):
        return False
    if catalog_index.referenced(fact.definition) != catalog_index.table_of(cause):
        return False
    key = catalog_index.words(cause.definition) - {"PRIMARY", "UNIQUE", "KEY", "DEFERRABLE"}
    return key <= catalog_index.referenced_words(fact.definition)
