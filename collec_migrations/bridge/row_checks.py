"""How many rows a foreign key that is missing would refuse."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg2 import extensions, sql

from collec_migrations.bridge import catalog_index
from collec_migrations.bridge.owners import Owners
from collec_migrations.catalog import Catalog
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement

_FOREIGN_KEY = re.compile(r"FOREIGN KEY \((.*?)\) REFERENCES (\S+?)\((.*?)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """How many rows a foreign key would refuse."""

    role: str
    constraint: str
    count: int


def read_orphans(
    connection: extensions.connection,
    names: Names,
    observed: Catalog,
    owners: Owners,
    keys: Iterable[tuple[str, str, str]],
) -> tuple[Orphans, ...]:
    """Return how many rows each of these foreign keys (role, name, definition) would refuse."""
    columns = frozenset((f.role, f.name) for f in observed.facts if f.kind == "column")
    queries = [
        query
        for role, name, definition in keys
        if (query := _orphans(names, columns, owners, role, name, definition)) is not None
    ]
    return tuple(
        Orphans(role=role, constraint=name, count=count)
        for role, name, count in _rows(connection, queries)
    )


def _rows(connection: extensions.connection, queries: Sequence[sql.Composable]) -> list[tuple]:  # type: ignore[type-arg]  # as the query has them
    if not queries:
        return []
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(sql.SQL(" union all ").join(queries))
        return cursor.fetchall()


def _orphans(
    names: Names,
    present: frozenset[tuple[str, str]],
    owners: Owners,
    role: str,
    name: str,
    definition: str,
) -> sql.Composable | None:
    """Return the query that counts, None when it cannot be asked."""
    found = _FOREIGN_KEY.match(definition)
    if found is None:
        return None
    table = name.split(".", 1)[0]
    parent = catalog_index.bare(found[2])
    home = next((r for r in (role, "gacl") if owners.may_read(r, "table", parent)), None)
    if home is None or not owners.may_read(role, "table", table):
        return None
    columns, keys = (
        [catalog_index.bare(one) for one in found[place].split(", ")] for place in (1, 3)
    )
    needed = {(role, f"{table}.{one}") for one in columns}
    needed |= {(home, f"{parent}.{one}") for one in keys}
    if not needed <= present:
        return None
    pairs = zip(columns, keys, strict=True)
    return sql.SQL(statement("orphans")).format(
        role=sql.Literal(role),
        constraint_name=sql.Literal(name),
        table=_identifier(names, role, table),
        parent=_identifier(names, home, parent),
        columns=sql.SQL(", ").join(sql.Identifier("child", one) for one in columns),
        condition=sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier("parent", key), sql.Identifier("child", one))
            for one, key in pairs
        ),
    )


def _identifier(names: Names, role: str, name: str) -> sql.Identifier:
    return sql.Identifier(names.gacl if role == "gacl" else names.col, name)
