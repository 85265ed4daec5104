"""Read what is needed of a database and decide what it is; changes nothing."""

from psycopg2 import extensions

from collec_migrations.catalog import Catalog
from collec_migrations.database import meanings, reading, records, schemas
from collec_migrations.detection import deciding, pairing
from collec_migrations.detection.answer import Detection
from collec_migrations.names import Names
from collec_migrations.releases import samples


def find(connection: extensions.connection) -> pairing.Pairing:
    """Return the pairs of schemas that hold the application's tables, by their structure."""
    return pairing.pair(schemas.read_schemas(connection))


def detect(connection: extensions.connection, names: Names, *, expected: str = "") -> Detection:
    """Return what one pair of schemas is; `expected` is what the application asks for."""
    return deciding.decide(read_evidence(connection, names, expected=expected))


def read_evidence(
    connection: extensions.connection, names: Names, *, expected: str = ""
) -> deciding.Evidence:
    """Return what the decision needs."""
    observed = reading.read_catalog(connection, names)
    return deciding.Evidence(
        names=names,
        observed=observed,
        records=records.read_records(connection, names),
        movement_of=_movement_of(connection, names, observed),
        expected=expected,
    )


def _movement_of(connection: extensions.connection, names: Names, observed: Catalog) -> str:
    """Return the version whose view `last_movement` is here, asked only when it matters."""
    if not deciding.needs_view(observed):
        return ""
    wanted = [one for one in samples.expected() if one.view == "last_movement"]
    found = meanings.read_meanings(connection, names, observed, wanted[:1])
    rows = found.get("last_movement")
    return next((one.first for one in wanted if one.rows == rows), "")
