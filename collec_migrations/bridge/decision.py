"""From evidence to an answer; never prefers what is recorded to what is seen. Pure."""

from dataclasses import dataclass, field, replace

from collec_migrations import versions as releases
from collec_migrations.bridge import (
    between_versions,
    distance,
    markers,
    reasons,
    recorded_version,
    structure,
    variants,
)
from collec_migrations.bridge.answer import Answer, Detection
from collec_migrations.bridge.difference import Difference, ordered
from collec_migrations.bridge.distance import Fit
from collec_migrations.bridge.records import Records
from collec_migrations.catalog import Catalog
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


def decide(evidence: Evidence) -> Detection:
    """Return what the database is."""
    nothing = _nothing(evidence.observed)
    if nothing is not None:
        return _detection(evidence, nothing, ())
    essence = distance.essence_of(evidence.observed)
    fits = distance.rank(essence)
    best = [fit for fit in fits if fit.distance == fits[0].distance]
    candidates = _told_apart(best, evidence)
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
    return ordered([*variants.explained(version, found), *said])


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


def _told_apart(best: list[Fit], evidence: Evidence) -> tuple[str, ...]:
    """Return the versions that fit best, without those that rows or views rule out."""
    versions = tuple(fit.version for fit in best)
    if {"1.0", "1.0.4"} <= set(versions) and evidence.movement_of:
        return (evidence.movement_of,)
    parameters = evidence.records.parameters
    if {"2.0", "2.1"} <= set(versions) and parameters is not None:
        return ("2.1",) if 2 in parameters else ("2.0",)
    return versions


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
