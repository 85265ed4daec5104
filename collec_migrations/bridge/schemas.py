"""Find the application's schemas in a database by what they hold."""

from dataclasses import dataclass

from psycopg2 import extensions

from collec_migrations.bridge import markers
from collec_migrations.postgres.queries import statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A schema that holds tables named as the application's."""

    name: str
    gacl_tables: int
    col_tables: int
    uses: tuple[str, ...]
    """Schemas that its foreign keys and its view `aclgroup` use."""


def read_schemas(connection: extensions.connection) -> tuple[Schema, ...]:
    """Return the schemas that may be the application's, by name."""
    parameters = {"gacl": list(markers.GACL), "both": [*markers.GACL, *markers.COL]}
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("schemas"), parameters)
        return tuple(
            Schema(name=name, gacl_tables=gacl, col_tables=col, uses=tuple(uses))
            for name, gacl, col, uses in cursor.fetchall()
        )
