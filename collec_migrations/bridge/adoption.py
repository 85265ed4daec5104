"""Put a recognised database under Alembic's care: its version and a row of history, at once."""

from dataclasses import dataclass

from psycopg2 import extensions

from collec_migrations import versions
from collec_migrations.bridge import adoption_records, repair_plan, repairs, state, verification
from collec_migrations.bridge.answer import Answer, Detection
from collec_migrations.bridge.difference import Difference
from collec_migrations.bridge.owners import read_owners
from collec_migrations.bridge.report import Report
from collec_migrations.errors import MigrationError, UnknownVersion
from collec_migrations.names import Names


class AdoptionRefused(MigrationError):
    """The database is not soundly the version that it would be adopted as."""

    exit_status = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What was done."""

    names: Names
    version: str
    already: bool = False
    """The database was adopted as this version before: nothing was written."""
    forced: str = ""
    """What was overruled, as the history has it."""
    mended: tuple[Difference, ...] = ()
    left: tuple[Difference, ...] = ()
    """Differences that do not break the application."""


def adopt(connection: extensions.connection, names: Names, version: str | None = None) -> Adoption:
    """Write the version that is seen; the caller commits.

    Raises `AdoptionRefused` when what is seen is no version, is another than `version`, or
    differs from it in what breaks the application.
    """
    report = _report(connection, names, version)
    _refuse_contradiction(report, version)
    _refuse_breaking(report)
    return _written(connection, report)


def adopt_mended(
    connection: extensions.connection, names: Names, version: str | None = None
) -> Adoption:
    """Mend first, in the same transaction; raises `AdoptionRefused` when that is not enough."""
    report = _report(connection, names, version)
    _refuse_contradiction(report, version)
    planned = repairs.plan(connection, report)
    repairs.run(connection, planned)
    report = verification.verify(connection, names, version=report.version)
    _refuse_breaking(report)
    return _written(connection, report, planned=planned)


def adopt_forced(connection: extensions.connection, names: Names, version: str) -> Adoption:
    """Write a version whatever is seen; the history says what was overruled."""
    if version not in versions.VERSIONS:
        return _unknown(connection, names, version)
    report = _report(connection, names, version)
    seen = ", ".join(report.detection.versions) or report.detection.answer
    forced = "" if report.is_sound and seen == version else (
        f"forced: seen as {seen}, {len(report.breaking)} differences that break the application"
    )  # fmt: skip
    return _written(connection, report, forced=forced)


def contradiction(connection: extensions.connection, names: Names, version: str) -> str:
    """Return what `alembic stamp` should warn of before it writes a version; empty: nothing."""
    seen = verification.look(connection, names)
    if seen.answer is Answer.LATER and seen.versions == (version,):
        return ""
    if seen.is_sound and seen.versions == (version,):
        return ""
    told = " or ".join(seen.versions) or str(seen.answer)
    many = f" with {len(seen.serious)} differences" if seen.serious else ""
    return f"schema {names.col!r} is seen as {told}{many}, not soundly as {version}"


def _report(connection: extensions.connection, names: Names, version: str | None) -> Report:
    """Return how the database differs from the version it would be adopted as."""
    # Alembic's own version does not count here: it is what is about to be written.
    detection = verification.look(connection, names)
    if detection.answer is Answer.LATER and version in (None, *detection.versions):
        raise _unchecked(detection)
    if version is not None and version not in versions.VERSIONS:
        raise UnknownVersion(
            f"there is no version {version!r} of the database",
            hint=f"Known versions: {', '.join(versions.VERSIONS)}.",
        )
    seen = version or detection.version
    if seen is None:
        raise AdoptionRefused(
            f"schema {names.col!r} is {detection.answer}: no single version"
            + (f", {' or '.join(detection.versions)}" if detection.versions else ""),
            hint="Run `collec-migrations detect` to see why; name the version to decide it.",
        )
    return verification.verify(connection, names, version=seen)


def _unchecked(detection: Detection) -> AdoptionRefused:
    (version,) = detection.versions
    return AdoptionRefused(
        f"schema {detection.names.col!r} says to be at version {version}, which this tool does not "
        "know: it cannot be checked",
        hint=f"To adopt it unchecked: adopt {version} --force. What Alembic wrote itself needs no "
        "adoption.",
    )


def _unknown(connection: extensions.connection, names: Names, version: str) -> Adoption:
    """Write a version that is later than all known ones, where the database itself says it."""
    detection = verification.look(connection, names)
    if detection.answer is not Answer.LATER or version not in detection.versions:
        raise UnknownVersion(
            f"there is no version {version!r} of the database",
            hint=f"Known versions: {', '.join(versions.VERSIONS)}.",
        )
    if detection.records.alembic == (version,):
        return Adoption(names=names, version=version, already=True)
    forced = "forced: a version that is not known cannot be checked"
    adoption_records.record(
        connection, names, version, note=forced, owner=read_owners(connection, names).majority
    )
    return Adoption(names=names, version=version, forced=forced)


def _refuse_contradiction(report: Report, version: str | None) -> None:
    if version is None or version in report.detection.versions:
        return
    seen = " or ".join(report.detection.versions) or report.detection.answer
    raise AdoptionRefused(
        f"schema {report.names.col!r} is not {version} but {seen}",
        hint=f"Adopt it as {seen}; or, if you are sure, add --force: the history will say so.",
    )


def _refuse_breaking(report: Report) -> None:
    # A wrong version of Alembic is put right by adopting.
    breaking = [one for one in report.breaking if one.name != state.VERSION_TABLE]
    if breaking:
        more = f" (and {len(breaking) - 1} more)" if len(breaking) > 1 else ""
        raise AdoptionRefused(
            f"schema {report.names.col!r} differs from {report.version} in what breaks the "
            f"application: {breaking[0].sentence}{more}",
            hint="Run `collec-migrations verify` to see all, `collec-migrations verify --sql` for "
            "the statements that mend; or adopt with --repair.",
        )


def _written(
    connection: extensions.connection,
    report: Report,
    *,
    forced: str = "",
    planned: repair_plan.Mending | None = None,
) -> Adoption:
    names, version = report.names, report.version
    mended = planned.mended if planned else ()
    already = report.detection.records.alembic == (version,)
    left = tuple(one for one in report.differences if one.name != state.VERSION_TABLE)
    if not already or mended or forced:
        note = "; ".join(filter(None, [forced, f"mended: {len(mended)}" if mended else ""]))
        adoption_records.record(connection, names, version, note=note, owner=report.owners.majority)
    return Adoption(
        names=names, version=version, already=already, forced=forced, mended=mended, left=left
    )
