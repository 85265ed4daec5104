"""Why a database is what `detect` says, in sentences. Pure."""

from collec_migrations import versions
from collec_migrations.bridge import between_versions, distance
from collec_migrations.bridge.answer import Detection
from collec_migrations.bridge.records import Records
from collec_migrations.catalog import Catalog


def neighbours(observed: Catalog, answer: Detection) -> tuple[str, ...]:
    """Return which stopped upgrade would leave the same, when one would."""
    if not answer.serious:
        return ()
    essence = distance.essence_of(observed)
    version = answer.versions[0]
    stopped = [
        f"An upgrade from {step.older} to {step.newer} that stopped half-way would leave the same."
        for step in between_versions.steps(essence)
        if version in (step.older, step.newer) and not step.foreign
    ]
    before = versions.previous(version)
    if before and any(one.name == "dbversion" and one.kind == "row" for one in answer.serious):
        stopped.append(
            f"An upgrade from {before} to {version} that stopped before it wrote its number "
            "would leave the same."
        )
    return tuple(stopped)


def said(records: Records, expected: str) -> tuple[str, ...]:
    """Return what the database and the application say, as sentences."""
    numbers = ", ".join(records.numbers)
    told = [f"Table dbversion says {numbers}." if numbers else ""]
    if records.alembic:
        told.append(f"Alembic's own version is {', '.join(records.alembic)}.")
    if expected:
        told.append(f"The application asks for version {expected}.")
    told += [f"Table {table} may not be read by this role." for table in records.unreadable]
    return tuple(one for one in told if one)
