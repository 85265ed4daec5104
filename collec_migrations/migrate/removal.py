"""The removal of everything: `downgrade base`, refused while a row is a user's."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg2
from alembic.runtime.migration import RevisionStep
from pglast import ast, parse_sql

from collec_migrations import sql
from collec_migrations import versions as library
from collec_migrations.errors import DowngradeRefused
from collec_migrations.migrate import archive
from collec_migrations.names import Names
from collec_migrations.postgres import quoting
from collec_migrations.settings import quoted_list


def is_removal(step: Any) -> bool:
    """Return whether a step leaves no version behind."""
    going_down = isinstance(step, RevisionStep) and not step.is_upgrade
    return bool(going_down and step.revision.down_revision is None)


ROWS_REMAIN = "CM001"
"""The SQLSTATE of the guard's refusal; classes from I to Z are free for applications, and the
rest of C has no such class (PostgreSQL manual, appendix A)."""


def guard(
    pairs: Sequence[Names],
    names: Names,
    *,
    at: Mapping[sql.Role, str],
    creations: Mapping[str, tuple[str, str]],
) -> str:
    """Return the statement that fails, naming tables and counts, when a user's row exists.

    `at` is the version of each schema (by role) that goes; `pairs` are all pairs of the run. What
    else a schema holds than the application's tables stays and is not looked at.
    """
    counted = ""
    for role, version in sorted(at.items()):
        # The newest creation scripts at or below the version made the rows of the installation.
        newest = max((one for one in creations if library.order(one) <= library.order(version)),
                     key=library.order)  # fmt: skip
        made = inserts(creations[newest][role == "col"])
        for table in sorted(archive.facts(version, role, "table")):
            if table != VERSION_ROWS:
                counted += _count(names, role, table, made.get(table, ()))
    hint = (
        f"Nothing was applied. `{command(pairs)}` removes them from the schemas; "
        "the archive schemas then keep every row."
    )
    body = f"""
declare
    told text := '';
    many bigint;
begin
{counted}
    if told <> '' then
        raise exception using
            errcode = '{ROWS_REMAIN}',
            message = 'there are rows that users entered: ' || substr(told, 3),
            hint = {quoting.literal(hint)};
    end if;
end
"""
    tag = archive.tag(body)
    return f"do {tag}{body}{tag};"


def command(pairs: Sequence[Names]) -> str:
    """Return the command that removes these schemas whatever they hold."""
    words = ["alembic", "-x", "destroy=yes"]
    if tuple(pairs) != (Names(),):
        words += ["-x", f"gacl={pairs[0].gacl}", "-x", f"col={quoted_list(tuple(pairs))}"]
    return shlex.join([*words, "downgrade", "base"])


def _count(names: Names, role: sql.Role, table: str, made: Sequence[str]) -> str:
    """Return the statements that count the rows of a table that are a user's.

    `made` are the statements that made the rows of a new installation.
    """
    schema = names.by_default_name[role]
    live = f"{quoting.identifier(schema)}.{quoting.identifier(table)}"
    before = after = ""
    count = f"select count(*) from {live}"
    if made:
        before, after = _made(names, role, table, live, made), f"drop table pg_temp.{table};"
        count = (
            f"select count(*) from (select row(live.*)::text from {live} as live"
            f" except all select row(made.*)::text from pg_temp.{table} as made) as others"
        )
    shown = quoting.literal(f"{schema}.{table}")
    return f"""\
    if to_regclass({quoting.literal(live)}) is not null then
        {before}
        {count} into many;
        {after}
        if many > 0 then
            told := told || ', ' || {shown} || ' (' || many || ')';
        end if;
    end if;
"""


def _made(names: Names, role: sql.Role, table: str, live: str, made: Sequence[str]) -> str:
    """Return the statements that make the rows of the creation script in a temporary table."""
    bound = {**names.by_default_name, role: "pg_temp"}
    lines = [f"create temporary table {table} (like {live} including defaults);"]
    lines += [f"{sql.bind(text, bound)};" for text in made]
    if table in SETTABLE:
        key, column = SETTABLE[table]
        lines.append(
            f"update pg_temp.{table} as made set {column} = live.{column}"
            f" from {live} as live where live.{key} = made.{key};"
        )
    return "\n        ".join(lines)


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


@contextmanager
def rows_named() -> Iterator[None]:
    """Raise `DowngradeRefused` with what the guard says."""
    try:
        yield
    except psycopg2.Error as error:
        if error.pgcode != ROWS_REMAIN:
            raise
        message = error.diag.message_primary or ""
        raise DowngradeRefused(message, hint=error.diag.message_hint or "") from error
