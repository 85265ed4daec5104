"""What scripts call `collec`: the application's account, which owns the schemas of a site."""

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import ownership
from collec_migrations.database import holdings
from collec_migrations.database.state import TOOL_TABLES
from collec_migrations.migration.sinks import Sink
from collec_migrations.names import Names
from collec_migrations.scripts import roles
from collec_migrations.wrapping.script import Item

ROLE = "collec"
"""The application's account, by the name that its scripts give it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """Who owns the two schemas and what is in them."""

    gacl: str
    col: str
    gacl_schema: str
    col_schema: str

    def roles(self, item: Item) -> dict[str, str]:
        """Return what the account is called, for what a statement is about.

        The same for all statements where one role owns everything.
        """
        if len({self.gacl, self.col, self.gacl_schema, self.col_schema}) == 1:
            return {ROLE: self.col}
        if ROLE not in item.statement.text.lower():
            return {}
        tree = item.tree
        if type(tree).__name__ == "AlterOwnerStmt" and tree.objectType.name == "OBJECT_SCHEMA":
            return {ROLE: self.gacl_schema if tree.object.sval == "gacl" else self.col_schema}
        changed = roles.changes(item.statement.text, item.search_path)
        return {ROLE: self.gacl if changed == {"gacl"} else self.col}


def owners(sink: Sink, names: Names) -> Owners | None:
    """Return who owns the schemas of a pair; None where there is no server to ask."""
    found: list[Owners] = []

    def look(cursor: Cursor) -> None:
        gacl, col = (holdings.read(cursor, schema) for schema in (names.gacl, names.col))
        found.append(
            Owners(
                gacl=ownership.rightful_owner(gacl, tool_tables=TOOL_TABLES),
                col=ownership.rightful_owner(col, tool_tables=TOOL_TABLES),
                gacl_schema=gacl.schema_owner,
                col_schema=col.schema_owner,
            )
        )

    sink.inspect(look)
    return found[0] if found else None


def only_gives(item: Item) -> bool:
    """Say whether a statement does nothing but give something to the application's account."""
    tree = item.tree
    if type(tree).__name__ == "AlterOwnerStmt":
        return bool(tree.newowner.rolename == ROLE)
    if type(tree).__name__ != "AlterTableStmt":
        return False
    return all(
        command.subtype.name == "AT_ChangeOwner" and command.newowner.rolename == ROLE
        for command in tree.cmds
    )
