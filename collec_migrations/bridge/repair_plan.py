"""Which statements mend what, in which order. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collec_migrations.bridge import catalog_index
from collec_migrations.bridge import repair_statements as statements
from collec_migrations.bridge.difference import Difference, Severity, State
from collec_migrations.bridge.repair_statements import Mend, Unmendable
from collec_migrations.catalog import Fact
from collec_migrations.names import Names
from collec_migrations.postgres.quoting import identifier, literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What mending needs to know beside the differences."""

    names: Names
    version: str
    owner: str
    """The role that everything belongs to."""
    path: tuple[str, ...] = ()
    """Schemas of extensions, behind the two schemas in the search path."""
    occupied: frozenset[tuple[str, str]] = frozenset()
    """Tables (role, name) that hold rows."""
    views: Mapping[str, str] | None = None
    """The query of each view, where it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """What to run, and what must be left to a person."""

    statements: tuple[str, ...]
    """In the right order, the search path first; empty: nothing to run."""
    mended: tuple[Difference, ...]
    left: tuple[tuple[Difference, str], ...]
    """Each with the reason why it is left."""


def plan(differences: Iterable[Difference], situation: Situation) -> Mending:
    """Return the statements that mend what can be mended without loss."""
    mends: list[Mend] = []
    mended: list[Difference] = []
    left: list[tuple[Difference, str]] = []
    for one in differences:
        if one.severity is Severity.COSMETIC and one.known:
            continue
        try:
            mends += _mends(one, situation)
            mended.append(one)
        except Unmendable as reason:
            left.append((one, str(reason)))
    ordered = [mend.statement for mend in sorted(mends, key=lambda mend: mend.stage)]
    return Mending(
        statements=(search_path(situation), *dict.fromkeys(ordered)) if ordered else (),
        mended=tuple(mended),
        left=tuple(left),
    )


def search_path(situation: Situation) -> str:
    """Return the statement under which the other ones find what they name."""
    names = situation.names
    schemas = dict.fromkeys([names.gacl, names.col, "public", *situation.path])
    return f"set local search_path to {', '.join(map(identifier, schemas))}"


def _mends(one: Difference, situation: Situation) -> list[Mend]:
    """Return what mends one difference; raise `Unmendable` with the reason when nothing does."""
    makers = {
        State.MISSING: _missing,
        State.CHANGED: _changed,
        State.RENAMED: _renamed,
        State.OWNER: _owner,
        State.RIGHT: _right,
        State.BEHIND: _behind,
        State.ROW: _row,
    }
    if one.state is State.EXTRA:
        raise Unmendable("it may hold what someone needs; drop it yourself when nobody does")
    if one.state not in makers:
        raise Unmendable("only a person can tell which of the two is right")
    return makers[one.state](one, situation)


def _missing(one: Difference, situation: Situation) -> list[Mend]:
    maker = statements.Maker(situation.names, situation.owner, situation.views or {})
    table = (one.role, one.name.split(".", 1)[0])
    cannot_be_filled = one.kind == "column" and " not null" in one.expected
    if cannot_be_filled and " default " not in one.expected and table in situation.occupied:
        raise Unmendable("the table holds rows, and the column has no default to fill it with")
    unchecked = any("at nothing" in word for word in one.along)
    return [
        mend
        for fact in one.facts
        for mend in maker.make(fact, one.facts, unchecked or _points_at_lost_rows(fact, one))
    ]


def _points_at_lost_rows(fact: Fact, one: Difference) -> bool:
    """Say whether rows may be left that point at those of a table that is gone."""
    return one.kind == "table" and catalog_index.table_of(fact) != one.name


def _changed(one: Difference, situation: Situation) -> list[Mend]:
    maker = statements.Maker(situation.names, situation.owner, situation.views or {})
    return maker.change(one)


def _renamed(one: Difference, situation: Situation) -> list[Mend]:
    maker = statements.Maker(situation.names, situation.owner, situation.views or {})
    return [maker.rename(one)]


def _owner(one: Difference, situation: Situation) -> list[Mend]:
    maker = statements.Maker(situation.names, situation.owner, situation.views or {})
    return [maker.own(one.kind, one.role, one.name)]


def _right(one: Difference, situation: Situation) -> list[Mend]:
    maker = statements.Maker(situation.names, situation.owner, situation.views or {})
    target = maker.target(one.role, one.kind, one.name)
    text = f"grant {one.expected} on {one.kind_for_grant} {target} to {identifier(one.observed)}"
    return [Mend(statements.RIGHTS, text)]


def _behind(one: Difference, situation: Situation) -> list[Mend]:
    maker = statements.Maker(situation.names, situation.owner, situation.views or {})
    name = literal(maker.target(one.role, "sequence", one.name))
    return [Mend(statements.ROWS, f"select setval({name}, {int(one.expected)})")]


def _row(one: Difference, situation: Situation) -> list[Mend]:
    if one.name != "dbversion" or one.severity is not Severity.BREAKS:
        raise Unmendable("only a person can tell which of the two is right")
    table = statements.Maker(situation.names, "", {}).target("col", "table", "dbversion")
    text = (
        f"insert into {table} (dbversion_number, dbversion_date)"
        f" values ({literal(situation.version)}, now())"
    )
    return [Mend(statements.ROWS, text)]
