"""From evidence to an answer; never prefers what is recorded to what is seen. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from collec_migrations import versions as releases
from collec_migrations.bridge import (
    distance,
    findings,
    reference_rows,
    structure,
)
from collec_migrations.bridge.difference import (
    MADE_BY_APPLICATION,
    NO_POSTGIS,
    OWN,
    Difference,
    Severity,
    State,
    ordered,
    with_reasons,
)
from collec_migrations.bridge.distance import Halfway
from collec_migrations.bridge.records import Owners, Records
from collec_migrations.bridge.views import Returned
from collec_migrations.catalog import Catalog, Fact
from collec_migrations.names import Names
from collec_migrations.versions import Shape

GACL = (
    *("aclacl", "aclaco", "aclappli", "aclgroup", "acllogin", "acllogingroup"),
    *("log", "logingestion"),
)
COL = (
    *("booking", "container", "container_family", "container_type", "document", "event"),
    *("event_type", "identifier_type", "label", "mime_type", "movement_type"),
    *("multiple_type", "object", "object_identifier", "object_status", "operation"),
    *("protocol", "sample", "sample_type", "storage_condition", "subsample"),
)
"""The tables that every version has: by half of them a schema is known for what it is."""
_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4})+")


class Answer(StrEnum):
    """The kinds of answer."""

    EXACT = "exact"
    DIFFERENCES = "differences"
    BETWEEN = "between"
    AMBIGUOUS = "ambiguous"
    LATER = "later"
    """A later version is recorded than all that are known here."""
    OLDER = "older"
    """A database of a release before 1.0: it has a part of what 1.0 has."""
    OTHER = "not-collec"
    EMPTY = "empty"
    ONLY_GACL = "only-gacl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that was read of one pair of schemas."""

    names: Names
    observed: Catalog
    records: Records = field(default_factory=Records)
    owners: Owners = field(default_factory=Owners)
    returned: tuple[Returned, ...] = ()
    """What its views returned beside those of a version."""
    expected: str = ""

    @property
    def movement_of(self) -> str:
        """Of 1.0 and 1.0.4, the one whose view `last_movement` this is; empty: cannot be told."""
        found = [one.version for one in self.returned if one.view == "last_movement" and one.same]
        return found[0] if len(found) == 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What one pair of schemas is, and why."""

    names: Names
    answer: Answer
    versions: tuple[str, ...] = ()
    """One; two (older, newer) when between; all that fit when ambiguous."""
    shape: Shape | None = None
    differences: tuple[Difference, ...] = ()
    """From the version; when between, from the newer one: what is still to do."""
    done: tuple[Difference, ...] = ()
    """When between: what was done, as differences from the older version."""
    why: tuple[str, ...] = ()
    records: Records = field(default_factory=Records)
    expected: str = ""
    """The version that the application asks for: empty when it was not read."""

    @property
    def version(self) -> str | None:
        """The one version that the structure is, None when it is not one."""
        one = self.answer in (Answer.EXACT, Answer.DIFFERENCES)
        return self.versions[0] if one else None

    @property
    def is_sound(self) -> bool:
        """Say whether the database is a version and nothing but cosmetic differs from it."""
        return self.version is not None and not self.serious

    @property
    def serious(self) -> tuple[Difference, ...]:
        """The differences that count: not the cosmetic ones, nor a default that was frozen."""
        return tuple(
            one
            for one in self.differences
            if one.severity is not Severity.COSMETIC and not one.is_frozen_default
        )

    @property
    def breaking(self) -> tuple[Difference, ...]:
        """The differences that break the application."""
        return tuple(one for one in self.differences if one.severity is Severity.BREAKS)


def without_alembic(evidence: Evidence) -> Evidence:
    """Return the evidence without Alembic's own version, which is about to be written.

    But a version that is not known here was reached by a wrapped script: nothing seen tells it.
    """
    table = ("col", "alembic_version")
    rows = dict(evidence.records.rows)
    rows[table] = [one for one in rows.get(table, ()) if is_later(str(one.get("version_num")))]
    return replace(evidence, records=replace(evidence.records, rows=rows))


def decide(evidence: Evidence) -> Detection:
    """Return what the database is."""
    nothing = _nothing(evidence.observed)
    if nothing is not None:
        return _detection(evidence, nothing, ())
    later = later_version(evidence.records)
    exact = _apart(distance.exact(evidence.observed), evidence)
    if len(exact) == 1 and not later:
        return _version(evidence, exact[0])
    essence = distance.essence_of(evidence.observed)
    ranked = distance.rank(essence)
    least = ranked[0][0]
    best = tuple(version for apart, version in ranked if apart == least)
    candidates = _apart(best, evidence)
    if later:
        return _later(evidence, later, candidates[-1])
    recorded = _recorded_before(evidence, candidates[0])
    if recorded:
        return _version(evidence, recorded)
    if _is_older(evidence, candidates[0]):
        return _older(evidence)
    settled = _apart(_settled(evidence, essence), evidence)
    if len(settled) == 1:
        return _version(evidence, settled[0])
    for step in distance.halfway(essence):
        if step.foreign < least and _is_between(evidence, best, step):
            return _between(evidence, step)
    if len(candidates) > 1:
        return _ambiguous(evidence, candidates)
    return _version(evidence, candidates[0])


def needs_view(observed: Catalog) -> bool:
    """Say whether it takes the meaning of a view to tell the version."""
    tables = {fact.name for fact in observed.facts if fact[:2] == ("col", "table")}
    return "storage" in tables and "sampling_place" not in tables


def recorded_version(records: Records) -> str:
    """Return the version that the application's table says: that of the highest id."""
    return records.numbers[-1] if records.numbers else ""


def later_version(records: Records) -> str:
    """Return the version, later than all known ones, that Alembic or `dbversion` names; or none.

    Alembic reaches such a version by a wrapped script that came after this package.
    """
    found = [one for one in (*records.numbers, *records.alembic) if is_later(one)]
    return max(found, key=releases.order, default="")


def is_later(version: str) -> bool:
    """Say whether this is the number of a version later than all known ones."""
    newest = releases.order(releases.VERSIONS[-1])
    return bool(_NUMBER.fullmatch(version)) and releases.order(version) > newest


def differences(
    evidence: Evidence, version: str, shape: Shape | None = None
) -> tuple[Difference, ...]:
    """Return how the database differs from a version, in structure and in what it says.

    What `shape`, or else the shape that it has, explains is cosmetic.
    """
    shape = shape or distance.nearest_shape(version, evidence.observed)
    if shape is Shape.UPGRADED:
        shape = next((one for one, _ in releases.shapes(version) if one is not shape), shape)
    found = structure.differences(
        expected=releases.upgraded(version),
        observed=evidence.observed,
        alternative=None if shape is Shape.UPGRADED else releases.catalog(version, shape),
    )
    damaged = any(one.table == "dbversion" for one in found)
    found = with_reasons(version, _judged(version, evidence.observed, found))
    odd = {one.table for one in found if one.kind in ("table", "column")}
    rows = (one for one in reference_rows.missing(version, evidence.records.rows)
            if one.name.split()[0] not in odd)  # fmt: skip
    return ordered(
        [
            *found,
            *findings.recorded(version, evidence.records, damaged=damaged),
            *rows,
            *findings.sequences(evidence.records.positions),
            *findings.known_password(evidence.records.rows),
        ]
    )


def _judged(version: str, observed: Catalog, found: Iterable[Difference]) -> Iterator[Difference]:
    """Yield the differences without the application's own indexes; a site's own are cosmetic."""
    found = tuple(found)
    kept = set()
    if version in releases.BUILT_IN and any(one.state is State.EXTRA for one in found):
        from collec_migrations.bridge import repair_statements  # a sound database needs none

        kept = {fact[:3] for fact in repair_statements.foreign(version)}
    without_postgis = not any(fact.name == "object.geom" for fact in observed.facts)
    for one in found:
        if one.kind == "index" and one.name.startswith(MADE_BY_APPLICATION):
            continue
        if one.state is State.EXTRA and (one.role, one.kind, one.name) not in kept:
            yield one.explained(OWN, Severity.COSMETIC)
        elif (without_postgis and one.state is State.MISSING and one.name == "object.geom") or (
            without_postgis and one.kind == "index" and "(geom)" in one.expected
        ):
            yield one.explained(NO_POSTGIS, Severity.COSMETIC)
        else:
            yield one


def _nothing(observed: Catalog) -> Answer | None:
    """Return the answer for schemas that do not hold the application's data, else None."""
    tables = {role: {fact.name for fact in observed.facts if fact[:2] == (role, "table")}
              for role in ("gacl", "col")}  # fmt: skip
    if is_col(len(tables["col"].intersection(COL))):
        return None
    if not observed.facts:
        return Answer.EMPTY
    gacl = is_gacl(len(tables["gacl"].intersection(GACL)))
    return Answer.ONLY_GACL if gacl and not tables["col"] else Answer.OTHER


def is_gacl(tables: int) -> bool:
    """Say whether a schema with so many of the tables `GACL` is a rights schema."""
    return 2 * tables >= len(GACL)


def is_col(tables: int) -> bool:
    """Say whether a schema with so many of the tables `COL` is a data schema."""
    return 2 * tables >= len(COL)


def _apart(candidates: tuple[str, ...], evidence: Evidence) -> tuple[str, ...]:
    """Return the versions that fit best, without those that rows or views rule out."""
    if {"1.0", "1.0.4"} <= set(candidates) and evidence.movement_of:
        return (evidence.movement_of,)
    parameters = evidence.records.ids("dbparam")
    if {"2.0", "2.1"} <= set(candidates) and parameters is not None:
        is_later = 2 in parameters or recorded_version(evidence.records) == "2.1"
        return ("2.1",) if is_later else ("2.0",)
    return candidates


def _recorded_before(evidence: Evidence, nearest: str) -> str:
    """Return the version that the row names, or the application asks for, where a newer one is
    nearer but no table, column or view of a step to it was made: evidence before distance."""
    there = {fact[:3] for fact in evidence.observed.facts}
    for said in (recorded_version(evidence.records), evidence.expected):
        if said not in releases.BUILT_IN or nearest not in releases.BUILT_IN:
            continue
        place = releases.position(said)
        if not 0 < releases.position(nearest) - place <= 2:
            continue
        marks = {
            fact[:3]
            for older, newer in releases.steps()[place : releases.position(nearest)]
            for fact in distance.step(older, newer)[0]
            if fact.kind in (*distance.BODY, "view")
        }
        marks -= {fact[:3] for _, shape in releases.shapes(said) for fact in shape.facts}
        if marks and not marks & there:
            return said
    return ""


def _settled(evidence: Evidence, essence: frozenset[Fact]) -> tuple[str, ...]:
    """Return the versions whose tables and columns these are, with nothing of the step after.

    Lost keys, indexes and views are damage: they make no database another version, and where
    several versions have these tables and columns, the recorded row decides.
    """
    body = distance.body_of(essence)
    far = {one: distance.distance(one, body, *distance.BODY) for one in releases.BUILT_IN}
    least = min(far.values())
    nearest = tuple(one for one in releases.BUILT_IN if far[one] == least)
    said = recorded_version(evidence.records)
    if said in nearest:
        nearest = (said,)
    elif said in releases.BUILT_IN:
        return ()
    elif before := releases.previous(nearest[0]):
        # No row says that the step to it has ended, and all that is missing is of that step.
        step = distance.measure(before, nearest[0], essence)
        if step.is_under_way and not step.foreign:
            return ()
    following = dict(releases.steps()).get(nearest[-1])
    begun = following and distance.step(nearest[-1], following)[0] & essence
    return () if begun else nearest


OLDER_THAN_FIRST = 4
"""So many tables and columns of 1.0 missing are no damage: the database is of a release before."""


def _is_older(evidence: Evidence, nearest: str) -> bool:
    """Say whether this is a database of a release before 1.0, which had less than 1.0."""
    tables = {fact.name for fact in evidence.observed.facts if fact[:2] == ("col", "table")}
    if nearest not in ("1.0", "1.0.4") or "dbversion" in tables:
        return False
    lost = [one for one in _structural(evidence, nearest)
            if one.state is State.MISSING and one.kind in distance.BODY]  # fmt: skip
    return len(lost) >= OLDER_THAN_FIRST


def _structural(
    evidence: Evidence, version: str, shape: Shape | None = None
) -> tuple[Difference, ...]:
    """Return the differences of the catalog alone."""
    return differences(replace(evidence, records=Records()), version, shape)


def _is_between(evidence: Evidence, best: Sequence[str], step: Halfway) -> bool:
    """Say whether two versions tell more about the database than one.

    One thing missing of the newer version, or one thing missing of the older that the newer has
    not either, is a damage of that version unless the rows say that the step did not end.
    """

    def serious(version: str) -> tuple[Difference, ...]:
        found = _structural(evidence, version)
        return replace(_detection(evidence, Answer.DIFFERENCES), differences=found).serious

    to_newer = serious(step.newer)
    if not to_newer or all(one.known for one in to_newer):
        return False
    if len(to_newer) == 1:
        if not releases.is_recorded(step.newer):
            return step.added > 0 and step.newer not in best
        return step.added > 0 and recorded_version(evidence.records) != step.newer
    return bool(step.added) or (not step.foreign and len(serious(step.older)) > 1)


def _older(evidence: Evidence) -> Detection:
    return _detection(
        evidence,
        Answer.OLDER,
        ("1.0",),
        _structural(evidence, "1.0", Shape.UPGRADED),
        "It has no table dbversion, and lacks tables or columns that every version from 1.0 on "
        "has: a release before 1.0 made it.",
    )


def _between(evidence: Evidence, step: Halfway) -> Detection:
    shape = distance.nearest_shape(step.newer, evidence.observed)
    answer = _detection(
        evidence,
        Answer.BETWEEN,
        (step.older, step.newer),
        _structural(evidence, step.newer, shape),
        f"Of the step from {step.older} to {step.newer}, {step.added} things were added and "
        f"{step.removed} removed; {step.undone} are not done.",
    )
    return replace(answer, shape=shape, done=_structural(evidence, step.older))


def _later(evidence: Evidence, version: str, nearest: str) -> Detection:
    """Return that a later version is recorded, of which no catalog is known."""
    count = len(_version(replace(evidence, records=Records()), nearest).serious)
    return _detection(
        evidence,
        Answer.LATER,
        (version,),
        (),
        f"What a sound {version} contains is not known here; its tables are nearest to "
        f"{nearest}, with {count} difference{'' if count == 1 else 's'}.",
    )


def _ambiguous(evidence: Evidence, candidates: tuple[str, ...]) -> Detection:
    shape = distance.nearest_shape(candidates[-1], evidence.observed)
    found = _structural(evidence, candidates[-1], shape)
    sentence = f"{' and '.join(candidates)} fit equally well."
    return replace(_detection(evidence, Answer.AMBIGUOUS, candidates, found, sentence), shape=shape)


def _version(evidence: Evidence, version: str) -> Detection:
    shape = distance.nearest_shape(version, evidence.observed)
    found = differences(evidence, version, shape)
    answer = replace(_detection(evidence, Answer.EXACT, (version,), found), shape=shape)
    if answer.serious:
        stopped = tuple(_stopped(evidence.observed, version, answer.serious))
        answer = replace(answer, answer=Answer.DIFFERENCES, why=(*answer.why, *stopped))
    return answer


def _stopped(observed: Catalog, version: str, serious: Iterable[Difference]) -> Iterator[str]:
    """Yield which stopped upgrade would leave the same, when one would."""
    for step in distance.halfway(distance.essence_of(observed)):
        if version in (step.older, step.newer) and not step.foreign:
            yield (f"An upgrade from {step.older} to {step.newer} that stopped half-way would leave"
                   " the same.")  # fmt: skip
    before = releases.previous(version)
    if before and any(one.name == "dbversion" and one.kind == "row" for one in serious):
        yield (f"An upgrade from {before} to {version} that stopped before it wrote its number "
               "would leave the same.")  # fmt: skip


def _detection(
    evidence: Evidence,
    answer: Answer,
    versions: tuple[str, ...] = (),
    found: tuple[Difference, ...] = (),
    *why: str,
) -> Detection:
    """Return an answer with its reasons: these, and what the database and application say."""
    records, expected = evidence.records, evidence.expected
    numbers = ", ".join(records.numbers)
    said = [f"Table dbversion says {numbers}."] if numbers else []
    if records.alembic:
        said.append(f"Alembic's own version is {', '.join(records.alembic)}.")
    if expected:
        said.append(f"The application asks for version {expected}.")
    said += [f"Table {table} may not be read by this role." for table in records.unreadable]
    return Detection(
        names=evidence.names,
        answer=answer,
        versions=versions,
        differences=found,
        why=(*why, *said) if versions else (),
        records=records,
        expected=expected,
    )
