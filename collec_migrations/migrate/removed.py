"""What a run takes out of sight: how much there is of it, and what of the site's own refers to it.

By two catalogs, the renames between them and the scripts, in either direction. A relation is named
as it is before the run. A view, a foreign key or a policy of the site's own on a table that goes
would stop the step at the server: it is found before, and refused by name. With `drop_dependents`
it is dropped, and the statements that make it again are kept in the archive.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from psycopg2 import errorcodes, sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import versions
from collec_migrations.errors import DowngradeRefused, NotPossible, Problem, StatementFailed
from collec_migrations.names import Names
from collec_migrations.postgres import quoting
from collec_migrations.postgres.queries import statement

_DROPPED_VIEW = re.compile(r"^drop view (?:if exists )?(\w+)\.(\w+)", re.MULTILINE)
_HINT = (
    "These objects are not the application's. Save their definitions, drop them, run the {run}, "
    "and make again what still fits."
)
_LACKS = "which version {} does not have"
_MAY_BE_DROPPED = (
    " Or let --drop-dependents (alembic: -x drop_dependents=yes) drop them: the archive then keeps"
    " their definitions."
)


class Move(NamedTuple):
    """One schema's way from the version it is at to another."""

    role: str
    old: str
    new: str | None
    """None: everything is removed."""


class Archived(NamedTuple):
    """Rows or values that leave the application's sight; those that users entered are kept."""

    table: str
    """With its schema."""
    column: str | None
    """None: the whole table."""
    rows: int
    """Rows, or values that are not null."""


def counted(cursor: Cursor, names: Names, moves: Sequence[Move]) -> Iterator[Archived]:
    """Yield what the database has of what these moves take away, with its rows or values.

    Raises psycopg2.Error where the role may not read a table.
    """
    for role, old, new in moves:
        assert new is not None
        schema = names.by_default_name[role]
        cursor.execute(statement("columns_of_tables"), {"schema": schema})
        there: dict[str, list[str]] = dict(cursor.fetchall())
        wanted: dict[str, list[str | None]] = {}
        for table, column in versions.removed(old, new, role):
            if table in there and (column is None or column in there[table]):
                wanted.setdefault(table, []).append(column)
        for table, columns in wanted.items():
            query = sql.SQL("select {} from {}").format(
                sql.SQL(", ").join(
                    sql.SQL("pg_catalog.count({})").format(
                        sql.Identifier(one) if one else sql.SQL("*")
                    )
                    for one in columns
                ),
                sql.Identifier(schema, table),
            )
            cursor.execute(query)
            for column, rows in zip(columns, cursor.fetchone() or (), strict=True):
                yield Archived(f"{schema}.{table}", column, rows)


class Dependent(NamedTuple):
    """An object of the site's own."""

    catalog: str
    oid: int
    kind: str
    shown: str
    target: str
    """What goes, to which it refers, or to something that does."""
    place: int
    """After how many others that it stands on."""
    fate: str
    """What becomes of that."""
    is_upgrade: bool

    def problem(self, *, allowed: bool) -> Problem:
        """Return what is to be told before the run: it stops it, unless it may be dropped."""
        said = f"the {self.kind} {self.shown} refers to {self.target}, {self.fate}"
        can_be_dropped = self.kind in DROPPABLE
        if allowed and can_be_dropped:
            return Problem(
                message=f"{said}: it will be dropped",
                hint="Make it again afterwards, if it still fits: its definition is kept in the"
                " archive.",
                certain=False,
            )
        run = "upgrade" if self.is_upgrade else "downgrade"
        hint = _HINT.format(run=run) + (_MAY_BE_DROPPED if can_be_dropped else "")
        return Problem(message=said, hint=hint)


def find(cursor: Cursor, names: Names, moves: Sequence[Move]) -> tuple[Dependent, ...]:
    """Return the site's own objects on what these moves take away, the last to be made last."""
    found: dict[tuple[str, int], Dependent] = {}
    schemas = names.by_default_name
    known = [[schemas[role], name] for role, old, _ in moves for name in _relations(old, role)]
    for role, old, new in moves:
        fates = gone(old, new, role)
        if fates:
            targets = [[schemas[role], *one] for one in fates]
            given = {"targets": json.dumps(targets), "known": json.dumps(known)}
            cursor.execute(statement("dependents"), given)
            upward = new is not None and versions.position(new) > versions.position(old)
            shown = {".".join(filter(None, (schemas[role], *one))): fates[one] for one in fates}
            for row in cursor.fetchall():
                found.setdefault(row[:2], Dependent._make((*row, shown[row[4]], upward)))
    return tuple(sorted(found.values(), key=lambda one: (one.place, one.kind, one.shown)))


@cache
def gone(old: str, new: str | None, role: str) -> Mapping[tuple[str, str | None], str]:
    """Return relations, and columns of others, on which nobody's view may stand, and why.

    What the version reached lacks, views that a script on the way makes anew, columns of which
    the type changes.
    """
    if new is None:
        return {(name, None): "which is removed" for name in sorted(_relations(old, role))}
    found: dict[tuple[str, str | None], str] = {}
    columns = [
        {fact.name: fact.definition.partition(" default ")[0].removesuffix(" not null")
         for fact in versions.upgraded(one).facts
         if (fact.role, fact.kind) == (role, "column")}
        for one in (old, new)
    ]  # fmt: skip
    for name in columns[0].keys() & columns[1].keys():
        if columns[0][name] != columns[1][name]:
            table, _, column = name.partition(".")
            found[table, column] = "whose type changes"
    start, end = versions.position(old), versions.position(new)
    path = versions.VERSIONS[min(start, end) : max(start, end) + 1]
    for before, after in pairwise(path if end > start else path[::-1]):
        for name in versions.script_names(before, after):
            for schema, view in _DROPPED_VIEW.findall(versions.load(name).text):
                if schema == role:
                    lacks = view not in _relations(new, role)
                    found[view, None] = _LACKS.format(new) if lacks else "which is made anew"
    return found | dict.fromkeys(versions.removed(old, new, role), _LACKS.format(new))


def _relations(version: str, role: str) -> set[str]:
    """Return the application's own tables and views of a version."""
    return {fact.name for fact in versions.upgraded(version).facts
            if fact.role == role and fact.kind in ("table", "view")}  # fmt: skip


def refuse(found: Sequence[Dependent], *, allowed: bool) -> None:
    """Raise for what stops a run; `allowed` says that it may be dropped."""
    problems = [one.problem(allowed=allowed) for one in found]
    certain = [one for one in problems if one.certain]
    if certain:
        lines = "".join(f"\n    {one.message}" for one in certain)
        run = "upgrade" if found[0].is_upgrade else "downgrade"
        error = NotPossible if found[0].is_upgrade else DowngradeRefused
        raise error(f"the {run} cannot be done, nothing was touched:{lines}", hint=certain[0].hint)


@contextmanager
def dependents_named(*, upgrade: bool) -> Iterator[None]:
    """Raise for an object of the site's own that no catalog told of: PostgreSQL's own hint is
    CASCADE, which would take away what nobody has kept."""
    try:
        yield
    except StatementFailed as error:
        if getattr(error.__cause__, "pgcode", None) != errorcodes.DEPENDENT_OBJECTS_STILL_EXIST:
            raise
        hint = _HINT.format(run="upgrade" if upgrade else "downgrade")
        raise (NotPossible if upgrade else DowngradeRefused)(str(error), hint=hint) from error


DROPPABLE = (
    *("view", "materialized view", "function", "procedure", "foreign key", "rule", "trigger"),
    *("generated column", "policy", "publication"),
)
"""Another kind, such as a table that inherits, is never dropped: it would take rows along."""


def drop(cursor: Cursor, found: Sequence[Dependent]) -> list[str]:
    """Drop objects; return the statements that make each of them again.

    Raises psycopg2.Error where the role may not, or where something stands on one that stays.
    """
    cursor.execute(statement("drop_dependents"))
    listed = json.dumps([one[:4] for one in found])
    cursor.execute("select pg_temp.collec_drop_dependents(%s::pg_catalog.json)", (listed,))
    (again,) = cursor.fetchone() or ([],)
    return list(again)


def keeping(
    live: str,
    store: str,
    old: str,
    new: str | None,
    found: Sequence[Dependent],
    again: Sequence[str],
) -> str:
    """Return the statement that keeps them in the archive; needs its functions."""
    shown = [f"{one.kind} {one.shown}" for one in found]
    listed = [
        f"array[{', '.join(map(quoting.literal, texts))}]::text[]" for texts in (shown, again)
    ]
    where = map(quoting.literal, (live, store, old, new))
    return f"select pg_temp.collec_keep_statements({', '.join([*where, *listed])})"
