"""How what a database says of itself agrees with what it is. Pure."""

import re

from collec_migrations import versions
from collec_migrations.bridge import variants
from collec_migrations.bridge.difference import Difference, Severity, State
from collec_migrations.bridge.records import Records

_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4})+")

ELABFTW = 5
"""The id of the type of dataset that 26.2 adds; the application's code has it too."""


def says(records: Records) -> str:
    """Return the version that the application's table says: that of the highest id."""
    return records.numbers[-1] if records.numbers else ""


def later(records: Records) -> str:
    """Return the version, later than all known ones, that Alembic or `dbversion` names; or none.

    Alembic reaches such a version by a wrapped script that came after this package.
    """
    found = [one for one in (*records.numbers, *records.alembic) if is_later(one)]
    return max(found, key=versions.order, default="")


def is_later(version: str) -> bool:
    """Say whether this is the number of a version later than all known ones."""
    newest = versions.order(versions.VERSIONS[-1])
    return bool(_NUMBER.fullmatch(version)) and versions.order(version) > newest


def differences(version: str, records: Records) -> tuple[Difference, ...]:
    """Return where the rows disagree with the version that the structure is."""
    return (
        *_dbversion(version, records),
        *_alembic(version, records),
        *_dataset_types(version, records),
    )


def _dbversion(version: str, records: Records) -> tuple[Difference, ...]:
    unread = any(table.endswith(".dbversion") for table in records.unreadable)
    if not records.has_dbversion or unread:
        return ()
    said = ", ".join(records.numbers) or "nothing"
    if version not in records.numbers and versions.is_recorded(version):
        reason = variants.FALSE_NUMBERS.get((says(records), version), "")
        sentence = f"table dbversion says {said}, the structure is that of {version}"
        return (_row("dbversion", Severity.BREAKS, sentence, version, said, reason),)
    odd = [number for number in records.numbers if not _possible(number, version)]
    if odd:
        sentence = f"table dbversion also says {', '.join(odd)}, the structure is that of {version}"
        # A number that never was a version misleads nobody beside the right one.
        known = any(number in versions.VERSIONS for number in odd)
        severity = Severity.DIFFERS if known else Severity.COSMETIC
        return (_row("dbversion", severity, sentence, version, said, ""),)
    return ()


def _possible(number: str, version: str) -> bool:
    """Say whether a sound database of a version can have a row with this number."""
    known = number in versions.VERSIONS
    return known and versions.position(number) <= versions.position(version)


def _alembic(version: str, records: Records) -> tuple[Difference, ...]:
    said = ", ".join(records.alembic)
    if not records.alembic or records.alembic == (version,):
        return ()
    sentence = f"Alembic's own version is {said}, the structure is that of {version}"
    return (_row("alembic_version", Severity.BREAKS, sentence, version, said, ""),)


def _dataset_types(version: str, records: Records) -> tuple[Difference, ...]:
    """Return the sign of a pre-release of 26.2, which recorded that number too early."""
    if version != "26.2" or not records.dataset_types or ELABFTW in records.dataset_types:
        return ()
    sentence = f"table dataset_type has no type {ELABFTW}, which the step to 26.2 adds"
    said = ", ".join(map(str, sorted(records.dataset_types)))
    reason = "pre-releases of 26.2 recorded 26.2 before it was complete"
    return (_row("dataset_type", Severity.DIFFERS, sentence, str(ELABFTW), said, reason),)


def _row(
    name: str, severity: Severity, sentence: str, expected: str, observed: str, known: str
) -> Difference:
    return Difference(
        severity=severity,
        state=State.ROW,
        role="col",
        kind="row",
        name=name,
        sentence=sentence,
        expected=expected,
        observed=observed,
        known=known,
    )
