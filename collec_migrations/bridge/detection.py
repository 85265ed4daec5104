"""Read what is needed of a database and decide what it is; changes nothing."""

from psycopg2 import extensions

from collec_migrations.bridge import (
    catalog_reader,
    decision,
    records,
    schema_pairs,
    schemas,
    view_results,
    view_samples,
)
from collec_migrations.bridge.answer import Detection
from collec_migrations.catalog import Catalog
from collec_migrations.names import Names


def find(connection: extensions.connection) -> schema_pairs.Pairing:
    """Return the pairs of schemas that hold the application's tables, by their structure."""
    return schema_pairs.pair(schemas.read_schemas(connection))


def detect(connection: extensions.connection, names: Names, *, expected: str = "") -> Detection:
    """Return what one pair of schemas is; `expected` is what the application asks for."""
    return decision.decide(read_evidence(connection, names, expected=expected))


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
