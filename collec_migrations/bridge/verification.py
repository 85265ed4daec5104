"""Read everything that can be wrong with a database of a version; changes nothing."""

from collections.abc import Callable
from dataclasses import replace

from psycopg2 import extensions

from collec_migrations import versions
from collec_migrations import versions as releases
from collec_migrations.bridge import (
    decision,
    distance,
    findings,
    recorded_version,
    row_checks,
    use_findings,
)
from collec_migrations.bridge import (
    detection as detecting,
)
from collec_migrations.bridge.answer import Answer, Detection
from collec_migrations.bridge.difference import Difference, State, ordered
from collec_migrations.bridge.owners import Owners, read_owners
from collec_migrations.bridge.report import Report
from collec_migrations.errors import NotAdopted
from collec_migrations.names import Names


def verify(
    connection: extensions.connection,
    names: Names,
    *,
    version: str = "",
    role: str = "",
    scripts: Callable[[str], str | None] = versions.current_checksum,
) -> Report:
    """Return every difference from `version`: empty, from the one Alembic says, else is seen.

    `role` is the application's; empty, the owner of most tables. `scripts` gives
    the checksum of scripts as they are now. Raises `NotAdopted` where there is nothing to compare.
    """
    evidence = detecting.read_evidence(connection, names)
    detection = decision.decide(evidence)
    against = version or _said(evidence) or detection.version or ""
    if against not in releases.VERSIONS and (version or detection.answer is Answer.LATER):
        raise NotAdopted(
            f"what a sound database of version {against or detection.versions[0]} contains is not "
            "known here",
            hint="Name a known version to compare with, or look for a newer release of this tool.",
        )
    if against not in releases.VERSIONS:
        raise NotAdopted(
            f"schema {names.col!r} is at no version that it could be compared with",
            hint="Run `collec-migrations detect`, then name the version to compare with.",
        )
    shape = distance.nearest_shape(against, evidence.observed)
    owners = read_owners(connection, names, role=role)
    told = decision.differences(evidence, against, shape)
    told = _with_orphans(connection, evidence, owners, told)
    return Report(
        names=names,
        version=against,
        shape=shape,
        owners=owners,
        detection=detection,
        differences=ordered(
            [
                *told,
                *use_findings.read(connection, names, evidence.observed, against, owners, told),
                *findings.scripts(evidence.records.history, scripts),
            ]
        ),
    )


def _said(evidence: decision.Evidence) -> str:
    """Return the version that Alembic says, empty when it says none or several."""
    return evidence.records.alembic[0] if len(evidence.records.alembic) == 1 else ""


def _with_orphans(
    connection: extensions.connection,
    evidence: decision.Evidence,
    owners: Owners,
    told: tuple[Difference, ...],
) -> tuple[Difference, ...]:
    keys = [
        (one.role, one.name, one.expected)
        for one in told
        if one.kind == "constraint" and one.state in (State.MISSING, State.CHANGED)
        and one.expected.startswith("FOREIGN KEY")
    ]  # fmt: skip
    found = row_checks.read_orphans(connection, evidence.names, evidence.observed, owners, keys)
    return findings.with_orphans(told, found)


def look(connection: extensions.connection, names: Names) -> Detection:
    """Return what the database is by what is seen, whatever Alembic says of it.

    But a version that is not known here was reached by a wrapped script: nothing seen tells it.
    """
    evidence = detecting.read_evidence(connection, names)
    later = tuple(one for one in evidence.records.alembic if recorded_version.is_later(one))
    records = replace(evidence.records, alembic=later)
    return decision.decide(replace(evidence, records=records))
