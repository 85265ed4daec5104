"""Which data schemas of a database use a rights schema, and at which version each one is."""

from collections.abc import Mapping, Sequence

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge import state
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement


def data_schemas(cursor: Cursor, names: Names) -> Mapping[str, str | None]:
    """Return the version of each data schema that uses the rights schema of a pair.

    None: it has none, or it may not be read. An archive of the rights schema is no user.
    """
    parameters = {
        "gacl": names.gacl,
        "archive": names.gacl_archive,
        "version_table": state.VERSION_TABLE,
    }
    cursor.execute(statement("rights_users"), parameters)
    return {
        schema: state.recorded_version(cursor, schema) if readable else None
        for schema, readable in cursor.fetchall()
    }


def newest_of_others(
    found: Mapping[str, str | None], names: Names, versions: Sequence[str]
) -> str | None:
    """Return the newest version that a data schema other than that of `names` is at.

    One whose version is not known may need the rights schema as it is: it counts as the newest.
    None: no other data schema uses the rights schema.
    """
    others = [version for schema, version in found.items() if schema != names.col]
    if not others:
        return None
    if any(version not in versions for version in others):
        return versions[-1]
    return max((version for version in others if version), key=versions.index)


def newest(found: Sequence[str | None], versions: Sequence[str]) -> str | None:
    """Return the newest of some versions; None when all are None."""
    return max((version for version in found if version), key=versions.index, default=None)
