"""What a database holds, as far as a run that fails must leave it as it was."""

from collec_migrations.catalog import Catalog
from collec_migrations.postgres.address import Address
from tests import chain
from tests.builders import rows

SCHEMAS = ("gacl", "gacl_archive", "col", "col_archive")

State = tuple[Catalog, dict[str, dict[str, list[str]]]]


def state(address: Address) -> State:
    """Return the catalog and every row, with archives, versions and history."""
    with chain.connected(address) as connection:
        dumped = {schema: rows.dump_rows(connection, schema) for schema in SCHEMAS}
    return chain.catalog(address), dumped
