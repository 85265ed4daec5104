"""Watch tables while a wrapped statement runs whose writes no tree tells: what goes is kept."""

from collec_migrations.bridge.state import TOOL_TABLES
from collec_migrations.postgres import quoting
from collec_migrations.postgres.queries import statement
from collec_migrations.wrapping import writing
from collec_migrations.wrapping.keeping import origin
from collec_migrations.wrapping.prepared import Prepared
from collec_migrations.wrapping.script import Item


def watches(item: Item) -> bool:
    """Say whether a statement is watched: the tables that its code names, or, of a plain DELETE
    or UPDATE, those that foreign keys and triggers lead to."""
    return writing.hides_writes(item.tree) or writing.follows_keys(item.tree)


def note(item: Item) -> str:
    """Return what the plan says of a statement whose writes it cannot count."""
    return (
        f"{item.place}: rows that this deletes or overwrites go to the archive as it runs; the "
        "tables that its code names are locked for that; what it drops is not kept"
    )


def begin(step: Prepared, item: Item) -> str:
    """Return the statement that begins to watch; `keep_rows.sql` decides which tables."""
    names = step.names
    hidden = writing.hides_writes(item.tree)
    literals = {
        "gacl_name": names.gacl,
        "gacl_archive": names.gacl_archive,
        "col_name": names.col,
        "col_archive": names.col_archive,
        "begins": origin(step.old, step.new),
        # Unlike the names that `wrapping.keeping` gives beforehand.
        "suffix": f"_until_{step.old.replace('.', '_')}_by_code",
        "place": item.place,
        "table": "" if hidden else _target(step, item),
        "text": item.statement.text if hidden else "",
    }
    cascades = hidden or type(item.tree).__name__ == "DeleteStmt"
    return statement("keep_rows").format(
        col=quoting.identifier(names.col),
        cascades="true" if cascades else "false",
        tool_tables=", ".join(map(quoting.literal, TOOL_TABLES)),
        **{name: quoting.literal(value) for name, value in literals.items()},
    )


def end(step: Prepared) -> str:
    """Return the statement that ends it: the triggers go with their function."""
    return (
        f"drop function if exists {quoting.identifier(step.names.col)}.collec_kept_rows() cascade;"
    )


def _target(step: Prepared, item: Item) -> str:
    relation = item.tree.relation
    bound = step.names.by_default_name
    written = [bound.get(relation.schemaname, relation.schemaname)] if relation.schemaname else []
    return ".".join(map(quoting.identifier, (*written, relation.relname)))
