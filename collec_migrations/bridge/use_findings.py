"""What breaks the application though tables and columns are right: owners, rights, views."""

from psycopg2 import extensions

from collec_migrations.bridge import findings, view_results, view_samples
from collec_migrations.bridge.difference import Difference
from collec_migrations.bridge.owners import Owners
from collec_migrations.catalog import Catalog
from collec_migrations.names import Names


def read(
    connection: extensions.connection,
    names: Names,
    observed: Catalog,
    version: str,
    owners: Owners,
    told: tuple[Difference, ...],
) -> tuple[Difference, ...]:
    """Return what views, owners and extensions add to the differences that were told."""
    wanted = view_samples.expected_of(version)
    found = view_results.read_meanings(connection, names, observed, wanted)
    return (
        *findings.views(wanted, found, told),
        *findings.owners(owners, observed),
        *findings.extensions(owners, names.col, names.gacl),
    )
