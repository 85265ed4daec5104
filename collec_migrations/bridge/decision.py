"""From evidence to an answer; never prefers what is recorded to what is seen. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from collec_migrations import versions as releases
from collec_migrations.bridge import (
    between_versions,
    distance,
    findings,
    known_shapes,
    markers,
    reasons,
    recorded_version,
    reference_rows,
    repairs,
    structure,
    variants,
)
from collec_migrations.bridge.answer import Answer, Detection
from collec_migrations.bridge.difference import Difference, Severity, State, ordered
from collec_migrations.bridge.distance import Fit
from collec_migrations.bridge.records import Records
from collec_migrations.catalog import Catalog, Fact
from collec_migrations.names import Names
from collec_migrations.versions import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that was read of one pair of schemas."""

    names: Names
    observed: Catalog
    records: Records = field(default_factory=Records)
    movement_of: str = ""
    """Of 1.0 and 1.0.4, the one whose view `last_movement` this is; empty: cannot be told."""
    expected: str = ""


def without_alembic(evidence: Evidence) -> Evidence:
    """Return the evidence without Alembic's own version, which is about to be written.

    But a version that is not known here was reached by a wrapped script: nothing seen tells it.
    """
    later = tuple(one for one in evidence.records.alembic if recorded_version.is_later(one))
    return replace(evidence, records=replace(evidence.records, alembic=later))


def decide(evidence: Evidence) -> Detection:
    """Return what the database is."""
    nothing = _nothing(evidence.observed)
    if nothing is not None:
        return _detection(evidence, nothing, ())
    exact = _told_apart(known_shapes.exact(evidence.observed), evidence)
    if len(exact) == 1 and not recorded_version.later(evidence.records):
        return _version(evidence, exact[0])
    essence = distance.essence_of(evidence.observed)
    fits = distance.rank(essence)
    best = [fit for fit in fits if fit.distance == fits[0].distance]
    candidates = _told_apart(tuple(fit.version for fit in best), evidence)
    if not recorded_version.later(evidence.records):
        recorded = _recorded_before(evidence, essence, candidates)
        if recorded:
            return _version(evidence, recorded)
        if _is_older(evidence, candidates):
            return _older(evidence)
        settled = _told_apart(_settled(evidence, essence), evidence)
        if len(settled) == 1:
            return _version(evidence, settled[0])
    if recorded_version.later(evidence.records):
        return _later(evidence, candidates[-1])
    halfway = _halfway(evidence, best, between_versions.steps(essence))
    if halfway is not None:
        return _between(evidence, halfway)
    if len(candidates) > 1:
        return _ambiguous(evidence, candidates)
    return _version(evidence, candidates[0])


def needs_view(observed: Catalog) -> bool:
    """Say whether it takes the meaning of a view to tell the version."""
    tables = {fact.name for fact in observed.facts if fact.role == "col" and fact.kind == "table"}
    return "storage" in tables and "sampling_place" not in tables


def differences(evidence: Evidence, version: str, shape: Shape) -> tuple[Difference, ...]:
    """Return how the database differs from a version, in structure and in what it says."""
    if shape is Shape.UPGRADED:
        others = [one for one, _ in releases.shapes(version) if one is not shape]
        shape = others[0] if others else shape
    found = structure.differences(
        expected=releases.upgraded(version),
        observed=evidence.observed,
        alternative=None if shape is Shape.UPGRADED else releases.catalog(version, shape),
    )
    damaged = any(one.name.split(".")[0] == "dbversion" for one in found)
    records = replace(
        evidence.records, has_dbversion=not damaged and evidence.records.has_dbversion
    )
    said = recorded_version.differences(version, records)
    found = variants.explained(version, _judged(version, evidence.observed, found))
    odd = {one.name.split(".")[0] for one in found if one.kind in ("table", "column")}
    rows = [
        one
        for one in reference_rows.missing(version, evidence.records.rows)
        if one.name.split()[0] not in odd
    ]
    return ordered([*found, *said, *rows,
                    *findings.sequences(evidence.records.positions),
                    *findings.known_password(evidence.records.rows)])  # fmt: skip


def _judged(version: str, observed: Catalog, found: Iterable[Difference]) -> Iterator[Difference]:
    """Yield the differences without the application's own indexes; a site's own are cosmetic."""
    kept = (
        {fact[:3] for fact in repairs.foreign(version)} if version in releases.BUILT_IN else set()
    )
    without_postgis = not any(fact.name == "object.geom" for fact in observed.facts)
    for one in found:
        if one.kind == "index" and one.name.startswith(variants.MADE_BY_APPLICATION):
            continue
        if one.state is State.EXTRA and (one.role, one.kind, one.name) not in kept:
            yield one.explained(variants.OWN, Severity.COSMETIC)
        elif (without_postgis and one.state is State.MISSING and one.name == "object.geom") or (
            without_postgis and one.kind == "index" and "(geom)" in one.expected
        ):
            yield one.explained(variants.NO_POSTGIS, Severity.COSMETIC)
        else:
            yield one


def _nothing(observed: Catalog) -> Answer | None:
    """Return the answer for schemas that do not hold the application's data, else None."""
    tables = {role: {f.name for f in observed.facts if f.kind == "table" and f.role == role}
              for role in ("gacl", "col")}  # fmt: skip
    if markers.is_col(len(tables["col"].intersection(markers.COL))):
        return None
    if not observed.facts:
        return Answer.EMPTY
    gacl = markers.is_gacl(len(tables["gacl"].intersection(markers.GACL)))
    return Answer.ONLY_GACL if gacl and not tables["col"] else Answer.OTHER


def _told_apart(candidates: tuple[str, ...], evidence: Evidence) -> tuple[str, ...]:
    """Return the versions that fit best, without those that rows or views rule out."""
    if {"1.0", "1.0.4"} <= set(candidates) and evidence.movement_of:
        return (evidence.movement_of,)
    parameters = evidence.records.parameters
    if {"2.0", "2.1"} <= set(candidates) and parameters is not None:
        return ("2.1",) if 2 in parameters else ("2.0",)
    return candidates


def _recorded_before(
    evidence: Evidence, essence: frozenset[Fact], candidates: tuple[str, ...]
) -> str:
    """Return the version that the row names, or the application asks for, where a newer one is
    nearer but no table, column or view of a step to it was made: evidence before distance."""
    nearest = candidates[0]
    for said in (recorded_version.says(evidence.records), evidence.expected):
        if said not in releases.BUILT_IN or nearest not in releases.BUILT_IN:
            continue
        place = releases.position(said)
        if not 0 < releases.position(nearest) - place <= 2:
            continue
        marks = {
            fact[:3]
            for older, newer in releases.steps()[place : releases.position(nearest)]
            for fact in distance.step(older, newer)[0]
            if fact.kind in ("table", "column", "view")
        }
        marks -= {fact[:3] for _, shape in releases.shapes(said) for fact in shape.facts}
        if marks and not marks & {fact[:3] for fact in essence}:
            return said
    return ""


def _settled(evidence: Evidence, essence: frozenset[Fact]) -> tuple[str, ...]:
    """Return the versions whose tables and columns these are, with nothing of the step after.

    Lost keys, indexes and views are damage: they make no database another version, and where
    several versions have these tables and columns, the recorded row decides.
    """
    body = distance.body_of(essence)
    apart = {one: distance.body_distance(one, body) for one in releases.BUILT_IN}
    least = min(apart.values())
    nearest = tuple(one for one in releases.BUILT_IN if apart[one] == least)
    said = recorded_version.says(evidence.records)
    if said in nearest:
        nearest = (said,)
    elif said in releases.BUILT_IN:
        return ()
    elif before := releases.previous(nearest[0]):
        # No row says that the step to it has ended, and all that is missing is of that step.
        step = between_versions.measure(before, nearest[0], essence)
        if step.is_under_way and not step.foreign:
            return ()
    following = dict(releases.steps())
    last = nearest[-1]
    begun = distance.step(last, following[last])[0] & essence if last in following else frozenset()
    return () if begun else nearest


OLDER_THAN_FIRST = 4
"""So many tables and columns of 1.0 missing are no damage: the database is of a release before."""


def _is_older(evidence: Evidence, candidates: tuple[str, ...]) -> bool:
    """Say whether this is a database of a release before 1.0, which had less than 1.0."""
    if candidates[0] not in ("1.0", "1.0.4") or evidence.records.has_dbversion:
        return False
    found = differences(replace(evidence, records=Records()), candidates[0], Shape.UPGRADED)
    lost = [one for one in found if one.state is State.MISSING and one.kind in ("table", "column")]
    return len(lost) >= OLDER_THAN_FIRST


def _older(evidence: Evidence) -> Detection:
    found = differences(replace(evidence, records=Records()), "1.0", Shape.UPGRADED)
    return replace(
        _detection(evidence, Answer.OLDER, ("1.0",), found),
        why=(
            "It has no table dbversion, and lacks tables or columns that every version from 1.0 "
            "on has: a release before 1.0 made it.",
            *reasons.said(evidence.records, evidence.expected),
        ),
    )


def _halfway(
    evidence: Evidence, best: list[Fit], steps: tuple[between_versions.Halfway, ...]
) -> between_versions.Halfway | None:
    """Return the step that the database stands in, None when it stands at a version."""
    for step in steps:
        if step.foreign < best[0].distance and _is_between(evidence, best, step):
            return step
    return None


def _is_between(evidence: Evidence, best: list[Fit], step: between_versions.Halfway) -> bool:
    """Say whether two versions tell more about the database than one.

    One thing missing of the newer version, or one thing missing of the older that the newer has
    not either, is a damage of that version unless the rows say that the step did not end.
    """
    to_newer = _serious(evidence, step.newer)
    if not to_newer or all(one.known for one in to_newer):
        return False
    if len(to_newer) == 1:
        if not releases.is_recorded(step.newer):
            return step.added > 0 and step.newer not in [fit.version for fit in best]
        return step.added > 0 and recorded_version.says(evidence.records) != step.newer
    if step.added:
        return True
    return not step.foreign and len(_serious(evidence, step.older)) > 1


def _serious(evidence: Evidence, version: str) -> tuple[Difference, ...]:
    shape = distance.nearest_shape(version, evidence.observed)
    bare = replace(evidence, records=Records())
    return _detection(
        bare, Answer.DIFFERENCES, (version,), differences(bare, version, shape)
    ).serious


def _between(evidence: Evidence, step: between_versions.Halfway) -> Detection:
    shape = distance.nearest_shape(step.newer, evidence.observed)
    bare = replace(evidence, records=Records())
    older = distance.nearest_shape(step.older, evidence.observed)
    found = differences(bare, step.newer, shape)
    answer = _detection(evidence, Answer.BETWEEN, (step.older, step.newer), found)
    return replace(
        answer,
        shape=shape,
        done=differences(bare, step.older, older),
        why=(
            f"Of the step from {step.older} to {step.newer}, {step.added} things were added and "
            f"{step.removed} removed; {step.undone} are not done.",
            *reasons.said(evidence.records, evidence.expected),
        ),
    )


def _later(evidence: Evidence, nearest: str) -> Detection:
    """Return that a database says to be at a version of which no catalog is known."""
    version = recorded_version.later(evidence.records)
    bare = _version(replace(evidence, records=Records()), nearest)
    count = len(bare.serious)
    return replace(
        _detection(evidence, Answer.LATER, (version,)),
        why=(
            f"What a sound {version} contains is not known here; its tables are nearest to "
            f"{nearest}, with {count} difference{'' if count == 1 else 's'}.",
            *reasons.said(evidence.records, evidence.expected),
        ),
    )


def _ambiguous(evidence: Evidence, candidates: tuple[str, ...]) -> Detection:
    shape = distance.nearest_shape(candidates[-1], evidence.observed)
    bare = replace(evidence, records=Records())
    found = differences(bare, candidates[-1], shape)
    answer = _detection(evidence, Answer.AMBIGUOUS, candidates, found)
    return replace(
        answer,
        why=(
            f"{' and '.join(candidates)} fit equally well.",
            *reasons.said(evidence.records, evidence.expected),
        ),
    )


def _version(evidence: Evidence, version: str) -> Detection:
    shape = distance.nearest_shape(version, evidence.observed)
    found = differences(evidence, version, shape)
    answer = replace(_detection(evidence, Answer.EXACT, (version,), found), shape=shape)
    if answer.serious:
        answer = replace(answer, answer=Answer.DIFFERENCES)
    return replace(
        answer,
        why=(
            *reasons.said(evidence.records, evidence.expected),
            *reasons.neighbours(evidence.observed, answer),
        ),
    )


def _detection(
    evidence: Evidence,
    answer: Answer,
    versions: tuple[str, ...],
    found: tuple[Difference, ...] = (),
) -> Detection:
    return Detection(
        names=evidence.names,
        answer=answer,
        versions=versions,
        differences=found,
        records=evidence.records,
        expected=evidence.expected,
    )
