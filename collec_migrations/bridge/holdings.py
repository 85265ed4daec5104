"""Read who owns what in a schema, and give new objects their rightful owner and rights."""

from collections.abc import Set
from typing import Any

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge import ownership
from collec_migrations.bridge.ownership import Holding, Object, Right
from collec_migrations.bridge.state import TOOL_TABLES
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement


def read(cursor: Cursor, schema: str) -> Holding:
    """Return the objects of a schema with owners and rights; none when there is no schema."""
    cursor.execute(statement("objects"), {"schema": schema})
    objects: dict[tuple[str, int], Object] = {}
    rights: dict[tuple[str, int], set[Right]] = {}
    for kind, oid, name, owner, follows, granted, *right in cursor.fetchall():
        key = (kind, oid)
        objects[key] = Object(kind=kind, oid=oid, name=name, owner=owner, follows=follows)
        if granted:
            rights.setdefault(key, set()).add(_right(right))
    schema_owner, defaults = _defaults(cursor, schema)
    return Holding(
        schema=schema,
        schema_owner=schema_owner,
        objects=tuple(_with_rights(item, rights.get(key, set())) for key, item in objects.items()),
        defaults=defaults,
    )


class Watch:
    """What the schemas of a pair held, so that what a step adds can be told from it."""

    def __init__(self, cursor: Cursor, names: Names) -> None:
        self._cursor = cursor
        self._names = names
        schemas = (names.gacl, names.gacl_archive, names.col, names.col_archive)
        self._held = {schema: read(cursor, schema) for schema in schemas}

    def owners(self) -> frozenset[str]:
        """Return who owns the schemas and what is in them."""
        return frozenset(
            owner
            for held in self._held.values()
            if held.schema_owner
            for owner in (held.schema_owner, *(item.owner for item in held.objects))
        )

    def settle(self) -> None:
        """Give all that is new its rightful owner and rights, and watch on from there."""
        known = {(item.kind, item.oid) for held in self._held.values() for item in held.objects}
        for schema, archive in (
            (self._names.gacl, self._names.gacl_archive),
            (self._names.col, self._names.col_archive),
        ):
            owner = self._owner(schema)
            self._settle(schema, owner, known)
            self._settle(archive, owner, known)

    def _owner(self, schema: str) -> str:
        """Return the rightful owner; of a schema that is new, whoever made it."""
        held = self._held[schema]
        if not held.schema_owner:
            held = read(self._cursor, schema)
        return ownership.rightful_owner(held, tool_tables=TOOL_TABLES)

    def _settle(self, schema: str, owner: str, known: Set[tuple[str, int]]) -> None:
        after = read(self._cursor, schema)
        statements = ownership.settlement(
            self._held[schema], after, owner=owner, known=known, tool_tables=TOOL_TABLES
        )
        if statements and after.schema_owner:
            self._cursor.execute("\n".join(statements))
            after = read(self._cursor, schema)
        self._held[schema] = after


def _defaults(cursor: Cursor, schema: str) -> tuple[str, frozenset[tuple[str, str, Right]]]:
    cursor.execute(statement("default_rights"), {"schema": schema})
    rows = cursor.fetchall()
    schema_owner = rows[0][0] if rows else ""
    found = {(owner, kind, _right(right)) for _, owner, kind, *right in rows if right[1]}
    return schema_owner, frozenset(found)


def _right(values: Any) -> Right:
    """Return the right of a row's last columns: grantee, privilege, grantable."""
    grantee, privilege, grantable = values
    return Right(grantee or "", privilege, bool(grantable))


def _with_rights(item: Object, rights: set[Right]) -> Object:
    return Object(
        kind=item.kind,
        oid=item.oid,
        name=item.name,
        owner=item.owner,
        follows=item.follows,
        rights=frozenset(rights),
    )
