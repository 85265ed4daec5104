"""Read a catalog as the facts were read: a second pair of eyes beside the product's own reader."""

from pathlib import Path

from psycopg2 import extensions

from collec_migrations.catalog import Catalog
from collec_migrations.names import Names
from tests.builders import ddl
from tests.builders.from_catalog import search_path_kept

QUERY = Path(__file__).with_name("catalog.sql")


def read(connection: extensions.connection, names: Names) -> Catalog:
    """Return the facts of the two schemas."""
    path = ", ".join(map(ddl.quote, (names.gacl, names.col, "public")))
    rows: list[tuple[str, str, str, str]] = []
    with search_path_kept(connection), connection.cursor() as cursor:
        cursor.execute(f"set search_path to {path}")
        for role, name in (("gacl", names.gacl), ("col", names.col)):
            cursor.execute("select oid from pg_namespace where nspname = %s", (name,))
            (schema,) = cursor.fetchone() or (0,)
            cursor.execute(QUERY.read_text(), {"schema": schema})
            rows += [(role, *row) for row in cursor]
    return Catalog.of(rows)
