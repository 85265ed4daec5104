"""Read who owns the application's objects and what the application's role may not do."""

from dataclasses import dataclass

from psycopg2 import extensions

from collec_migrations.bridge.state import TOOL_TABLES
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """One object with its owner."""

    role: str
    kind: str
    name: str
    """Without schema; of a schema: its role."""
    owner: str
    lacking: tuple[str, ...]
    """Rights that the application's role does not have."""
    readable: bool
    """Whether this session may read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """All objects of a pair of schemas with their owners."""

    application: str = ""
    """The role of the application: the one given, else the owner of most tables."""
    majority: str = ""
    """The owner of most tables."""
    objects: tuple[Owned, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    """Name and schema."""

    def may_read(self, role: str, kind: str, name: str) -> bool:
        """Say whether this session may read a table or sequence."""
        return any(
            (one.role, one.kind, one.name) == (role, kind, name) and one.readable
            for one in self.objects
        )


def read_owners(connection: extensions.connection, names: Names, *, role: str = "") -> Owners:
    """Return the owners and missing rights; `role` is the application's, when it is known."""
    parameters = {
        "gacl": names.gacl,
        "col": names.col,
        "tool_tables": list(TOOL_TABLES),
        "role": role,
    }
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute(statement("owners"), parameters)
        rows: list[tuple[str, str, str, str, list[str], bool]] = cursor.fetchall()
    application = next((row for row in rows if row[0] == "application"), None)
    return Owners(
        application=application[2] if application else "",
        majority=application[3] if application else "",
        objects=tuple(
            Owned(role=one, kind=kind, name=name, owner=owner, lacking=tuple(lacking),
                  readable=readable)
            for one, kind, name, owner, lacking, readable in rows
            if one in ("gacl", "col")
        ),
        extensions=tuple((row[2], row[3]) for row in rows if row[0] == "extension"),
    )  # fmt: skip
