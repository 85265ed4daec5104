"""What scripts call `collec`: the application's account, which owns the schemas of a site."""

from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations.bridge import holdings, ownership
from collec_migrations.bridge.state import TOOL_TABLES
from collec_migrations.migrate.sinks import Sink
from collec_migrations.names import Names
from collec_migrations.postgres import quoting
from collec_migrations.scripts import bind, roles
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
        is_of_gacl = _schema(item) == "gacl"
        if _gives_schema(item.tree):
            return {ROLE: self.gacl_schema if is_of_gacl else self.col_schema}
        return {ROLE: self.gacl if is_of_gacl else self.col}


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


def _gives_schema(tree: Any) -> bool:
    is_owner = type(tree).__name__ == "AlterOwnerStmt"
    return is_owner and bool(tree.objectType.name == "OBJECT_SCHEMA")


def _schema(item: Item) -> str:
    """Return the default name of the schema that a statement is about."""
    if _gives_schema(item.tree):
        return "gacl" if item.tree.object.sval == "gacl" else "col"
    changed = roles.changes(item.statement.text, item.search_path)
    return "gacl" if changed == {"gacl"} else "col"


UNKNOWN = "collec: the owner of the schema"
"""What stands for the account while a script for psql is written."""


def names_account(item: Item) -> bool:
    """Say whether a statement names the application's account."""
    text = item.statement.text
    return ROLE in text.lower() and bind(text, {}, roles={ROLE: UNKNOWN}) != text


def at_run_time(item: Item, bound: str, names: Names) -> str:
    """Return what runs a statement with the owner of its schema in place of `UNKNOWN`.

    For a script that psql runs later.
    """
    schema = names.by_default_name[_schema(item)]
    return f"""do $collec_owner$
declare
    owner name;
begin
    select pg_catalog.pg_get_userbyid(nspowner) into strict owner
    from pg_catalog.pg_namespace where nspname = {quoting.literal(schema)};
    execute replace({quoting.literal(bound)}, {quoting.literal(quoting.identifier(UNKNOWN))},
                    pg_catalog.quote_ident(owner));
end
$collec_owner$;"""
