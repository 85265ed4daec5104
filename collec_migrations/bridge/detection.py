"""Read what is needed of a database, and say what it is and what is wrong; changes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from psycopg2 import extensions

from collec_migrations import versions
from collec_migrations.bridge import decision, distance, findings, records, views
from collec_migrations.bridge.decision import Answer, Detection, Evidence
from collec_migrations.bridge.difference import Difference, Severity, ordered
from collec_migrations.bridge.records import Owners
from collec_migrations.catalog import Catalog, Fact
from collec_migrations.errors import NotAdopted
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement


class Schema(NamedTuple):
    """A schema that holds tables named as the application's."""

    name: str
    gacl_tables: int
    col_tables: int
    uses: Sequence[str]
    """Schemas that its foreign keys and its view `aclgroup` use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The pairs of a database, and what has no partner."""

    pairs: tuple[Names, ...] = ()
    lone_gacl: tuple[str, ...] = ()
    """Rights schemas that no data schema goes with."""
    unpaired: tuple[str, ...] = ()
    """Data schemas whose rights schema is not known."""
    facts: tuple[Catalog, Owners] | None = None
    """What the pair of the usual names holds, where that was read as well."""


MARKS = {"marks_gacl": [*decision.GACL], "marks_both": [*decision.GACL, *decision.COL]}


def find(connection: extensions.connection) -> Pairing:
    """Return the pairs of schemas that hold the application's tables, by their structure."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("schemas"), MARKS)
        return pair([Schema(*row) for row in cursor.fetchall()])


def find_and_read(connection: extensions.connection, *, role: str = "") -> Pairing:
    """Return the pairs, and in the same round trip what the pair of the usual names holds."""
    observed, owners, marked = records.read_facts(connection, Names(), role=role, marks=MARKS)
    return replace(pair([Schema(*row) for row in marked]), facts=(observed, owners))


def pair(schemas: Sequence[Schema]) -> Pairing:
    """Return the pairs that the schemas make, by what each data schema uses."""
    rights = [one.name for one in schemas if decision.is_gacl(one.gacl_tables)]
    pairs: list[Names] = []
    unpaired: list[str] = []
    for one in schemas:
        if not decision.is_col(one.col_tables):
            continue
        used = [name for name in one.uses if name in rights and name != one.name]
        others = [name for name in rights if name != one.name]
        if len(used) == 1 or (not used and len(others) == 1):
            pairs.append(Names(gacl=(used or others)[0], col=one.name))
        else:
            unpaired.append(one.name)
    paired = {names.gacl for names in pairs}
    return Pairing(
        pairs=tuple(pairs),
        lone_gacl=tuple(name for name in rights if name not in paired),
        unpaired=tuple(unpaired),
    )


def detect(
    connection: extensions.connection,
    names: Names,
    *,
    expected: str = "",
    role: str = "",
    found: Pairing | None = None,
) -> Detection:
    """Return what one pair of schemas is; `expected` is what the application asks for.

    `found` is from `find_and_read` with the same role.

    A version is sound only when `verify` finds nothing that breaks: owners, rights and views too.
    `role` is the application's; empty, the owner of most tables.
    """
    read = read_evidence(connection, names, expected=expected, role=role, found=found)
    return look(connection, names, read=read)[1]


def look(
    connection: extensions.connection, names: Names, *, read: Evidence
) -> tuple[Evidence, Detection]:
    """Return what was read, with what its views return where that matters, and what it means."""
    evidence = read
    seen = decision.decide(evidence)
    if decision.needs_view(evidence.observed) and seen.versions:
        returned = views.compare(connection, names, evidence.observed, "1.0", "1.0.4")
        evidence = replace(evidence, returned=returned)
        seen = decision.decide(evidence)
    elif seen.version and seen.is_sound and not evidence.returned:
        returned = views.compare(connection, names, evidence.observed, seen.version)
        evidence = replace(evidence, returned=returned)
    if seen.version is None or not seen.is_sound:
        return evidence, seen
    more = _in_use(evidence, seen.version, seen.differences)
    breaking = [one for one in more if one.severity is Severity.BREAKS]
    if breaking:
        seen = replace(seen, answer=Answer.DIFFERENCES,
                       differences=ordered([*seen.differences, *breaking]))  # fmt: skip
    return evidence, seen


def read_evidence(
    connection: extensions.connection,
    names: Names,
    *,
    expected: str = "",
    role: str = "",
    found: Pairing | None = None,
) -> Evidence:
    """Return what the decision needs; raise `NotAdopted` where the rights schema is not there.

    Where the facts are exactly a version's, its views are compared in the same round trip.
    """
    if found and found.facts and names == Names():
        observed, owners = found.facts
    else:
        observed, owners, _ = records.read_facts(connection, names, role=role)
    _refuse_missing_rights(connection, names, observed.facts)
    exact = () if decision.needs_view(observed) else distance.exact(observed)
    said, returned = records.read_records(connection, names, observed, owners, *exact[:1])
    return Evidence(names=names, observed=observed, owners=owners, records=said,
                    expected=expected, returned=returned)  # fmt: skip


def _refuse_missing_rights(
    connection: extensions.connection, names: Names, facts: frozenset[Fact]
) -> None:
    """Raise `NotAdopted` where there is a data schema, and nothing in the rights schema."""
    tables = {(fact.role, fact.name) for fact in facts if fact.kind == "table"}
    if any(role == "gacl" for role, _ in tables) or not decision.is_col(
        len({name for _, name in tables}.intersection(decision.COL))
    ):
        return
    there = find(connection)
    others = [*(one.gacl for one in there.pairs if one.col == names.col), *there.lone_gacl]
    raise NotAdopted(
        f"the rights schema {names.gacl!r} has no tables"
        + (f"; the tables of the rights are in {others[0]!r}" if others else ""),
        hint=f"Name the schemas that are there: --gacl {others[0]} --col {names.col}."
        if others
        else "Name the rights schema with --gacl, or restore it from a backup.",
    )


def _in_use(evidence: Evidence, version: str, found: Sequence[Difference]) -> list[Difference]:
    """Return what breaks the application though tables and columns are right."""
    returned = [one for one in evidence.returned if one.version == version]
    return [
        *findings.views(returned, found, is_adopted=bool(evidence.records.alembic)),
        *findings.owners(evidence.owners, evidence.observed),
        *findings.extensions(evidence.owners, evidence.names),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every difference between a database and the version it should be."""

    names: Names
    version: str
    shape: versions.Shape
    differences: tuple[Difference, ...]
    owners: Owners
    detection: Detection

    @property
    def is_sound(self) -> bool:
        """Say whether nothing but cosmetic things differ."""
        return all(one.severity is Severity.COSMETIC for one in self.differences)

    @property
    def breaking(self) -> tuple[Difference, ...]:
        """The differences that break the application."""
        return tuple(one for one in self.differences if one.severity is Severity.BREAKS)


def verify(
    connection: extensions.connection,
    names: Names,
    *,
    version: str = "",
    role: str = "",
    expected: str = "",
    found: Pairing | None = None,
    scripts: Callable[[str], str | None] = versions.current_checksum,
) -> Report:
    """Return every difference from `version`: empty, from the one Alembic says, else is seen.

    `role` is the application's; empty, the owner of most tables. `scripts` gives
    the checksum of scripts as they are now. Raises `NotAdopted` where there is nothing to compare.
    """
    read = read_evidence(connection, names, expected=expected, role=role, found=found)
    evidence, seen = look(connection, names, read=read)
    alembic = evidence.records.alembic
    against = version or (alembic[0] if len(alembic) == 1 else "") or seen.version or ""
    if against not in versions.VERSIONS and (version or seen.answer is Answer.LATER):
        raise NotAdopted(
            f"what a sound database of version {against or seen.versions[0]} contains is not "
            "known here",
            hint="Name a known version to compare with, or look for a newer release of this tool.",
        )
    if against not in versions.VERSIONS:
        raise NotAdopted(
            f"schema {names.col!r} is at no version that it could be compared with",
            hint="Run `collec-migrations detect`, then name the version to compare with.",
        )
    shape = distance.nearest_shape(against, evidence.observed)
    differing = decision.differences(evidence, against, shape)
    counting = findings.orphans_query(names, evidence.observed, evidence.owners, differing)
    if counting is not None:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute(counting)
            differing = findings.with_orphans(differing, cursor.fetchall())
    if all(one.version != against for one in evidence.returned):
        returned = views.compare(connection, names, evidence.observed, against)
        evidence = replace(evidence, returned=returned)
    return Report(
        names=names,
        version=against,
        shape=shape,
        owners=evidence.owners,
        detection=seen,
        differences=ordered(
            [
                *differing,
                *_in_use(evidence, against, differing),
                *findings.scripts(evidence.records.history, scripts),
            ]
        ),
    )
