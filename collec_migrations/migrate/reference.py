"""The rows that an installation starts with, told from its creation scripts. Pure."""

from collections.abc import Mapping, Sequence
from functools import cache

from pglast import ast, parse_sql

from collec_migrations import sql
from collec_migrations import versions as library

VERSION_ROWS = "dbversion"
"""Only scripts write into this table: its rows are never a user's."""

SETTABLE: Mapping[str, tuple[str, str]] = {
    "logingestion": ("id", "password"),  # set when installed, changed after the first login
    "request": ("request_id", "create_date"),  # the moment of the installation
    "dbparam": ("dbparam_name", "dbparam_id"),  # from a sequence: steps give others than 26.2
    "aclappli": ("aclappli_id", "appli"),  # the application's code is a setting
}
"""By table: its key, and the column that an installation sets by itself."""


@cache
def inserts(script: str) -> Mapping[str, tuple[str, ...]]:
    """Return the statements of a creation script that insert rows, by table."""
    found: dict[str, tuple[str, ...]] = {}
    for statement in sql.split(library.load(script).text):
        node = parse_sql(statement.text)[0].stmt
        if isinstance(node, ast.InsertStmt) and node.relation:
            table = str(node.relation.relname)
            found[table] = (*found.get(table, ()), statement.text)
    return found


def creation(
    creations: Mapping[str, tuple[str, str]], versions: Sequence[str], version: str
) -> tuple[str, str]:
    """Return the newest creation scripts, for (gacl, col), at or below a version."""
    below = versions[: versions.index(version) + 1]
    return creations[next(found for found in reversed(below) if found in creations)]
