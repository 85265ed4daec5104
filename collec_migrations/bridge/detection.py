"""Read what is needed of a database and decide what it is; changes nothing."""

from dataclasses import replace

from psycopg2 import extensions

from collec_migrations import versions
from collec_migrations.bridge import (
    catalog_reader,
    decision,
    owners,
    records,
    schema_pairs,
    schemas,
    use_findings,
    view_results,
    view_samples,
)
from collec_migrations.bridge.answer import Answer, Detection
from collec_migrations.bridge.difference import Severity, ordered
from collec_migrations.catalog import Catalog
from collec_migrations.names import Names


def find(connection: extensions.connection) -> schema_pairs.Pairing:
    """Return the pairs of schemas that hold the application's tables, by their structure."""
    return schema_pairs.pair(schemas.read_schemas(connection))


def detect(
    connection: extensions.connection, names: Names, *, expected: str = "", role: str = ""
) -> Detection:
    """Return what one pair of schemas is; `expected` is what the application asks for.

    A version is sound only when `verify` finds nothing that breaks: owners, rights and views too.
    `role` is the application's; empty, the owner of most tables.
    """
    evidence = read_evidence(connection, names, expected=expected)
    seen = decision.decide(evidence)
    if seen.version not in versions.BUILT_IN or not seen.is_sound:
        return seen
    read = owners.read_owners(connection, names, role=role)
    more = use_findings.read(
        connection, names, evidence.observed, seen.version, read, seen.differences
    )
    breaking = [one for one in more if one.severity is Severity.BREAKS]
    if not breaking:
        return seen
    return replace(
        seen, answer=Answer.DIFFERENCES, differences=ordered([*seen.differences, *breaking])
    )


def read_evidence(
    connection: extensions.connection, names: Names, *, expected: str = ""
) -> decision.Evidence:
    """Return what the decision needs."""
    observed = catalog_reader.read_catalog(connection, names)
    return decision.Evidence(
        names=names,
        observed=observed,
        records=records.read_records(connection, names, observed),
        movement_of=_movement_of(connection, names, observed),
        expected=expected,
    )


def _movement_of(connection: extensions.connection, names: Names, observed: Catalog) -> str:
    """Return the version whose view `last_movement` is here, asked only when it matters."""
    if not decision.needs_view(observed):
        return ""
    wanted = [one for one in view_samples.expected() if one.view == "last_movement"]
    found = view_results.read_meanings(connection, names, observed, wanted[:1])
    rows = found.get("last_movement")
    return next((one.first for one in wanted if one.rows == rows), "")
