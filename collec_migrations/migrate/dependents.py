"""Views and tables of the site's own that refer to what a step removes, told before it runs."""

from collections.abc import Iterator, Sequence

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import versions
from collec_migrations.migrate import archive
from collec_migrations.migrate.obstacles import Obstacle
from collec_migrations.names import Names
from collec_migrations.postgres.queries import statement

_HINT = (
    "These objects are not the application's. Save their definitions, drop them, run the upgrade, "
    "and make again what still fits."
)


def found(
    cursor: Cursor, names: Names, steps: Sequence[tuple[str, str, Sequence[str]]]
) -> Iterator[Obstacle]:
    """Yield what the steps (old version, new version, roles) would fail at.

    A relation that an earlier step renames is not seen: it has another name yet.
    """
    schemas = {role: names.by_default_name[role] for role in ("gacl", "col")}
    cursor.execute(statement("dependents"), {"schemas": list(schemas.values())})
    known = {
        (schemas[fact.role], fact.name)
        for version in {old for old, _, _ in steps}
        for fact in versions.upgraded(version).facts
        if fact.kind in ("table", "view") and fact.role in schemas
    }
    foreign = [row for row in cursor.fetchall() if (row[1], row[2]) not in known]
    for old, new, roles in steps if foreign else ():
        for role in roles:
            move = archive.Step(role=role, live=schemas[role], store="", old=old, new=new)
            removed = archive.removals(move).tables
            columns = {
                (kept.table, column)
                for kept in archive.keeps(move)
                if kept.kind == "columns"
                for column in kept.columns
            }
            views, later = (archive.facts(version, role, "view") for version in (old, new))
            for kind, schema, name, target_schema, target, column in foreign:
                if target_schema != schemas[role]:
                    continue
                if target in removed or (target in views and target not in later):
                    what = target
                elif (target, column) in columns:
                    what = f"{target}.{column}"
                else:
                    continue
                yield Obstacle(
                    message=f"the {kind} {schema}.{name} refers to {target_schema}.{what},"
                    f" which the step to {new} removes",
                    hint=_HINT,
                )
