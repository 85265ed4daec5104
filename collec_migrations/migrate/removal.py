"""The removal of everything: `downgrade base`, refused while a row is a user's."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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


def is_removal(step: Any) -> bool:
    """Return whether a step leaves no version behind."""
    going_down = isinstance(step, RevisionStep) and not step.is_upgrade
    return bool(going_down and step.revision.down_revision is None)


def guard(
    pairs: Sequence[Names],
    names: Names,
    *,
    at: Mapping[str, str],
    creations: Mapping[str, tuple[str, str]],
    versions: Sequence[str],
) -> str:
    """Return the statement that fails when a user's row exists in a schema that is removed.

    `at` is the version of each schema (by role) that goes; `pairs` are all pairs of the run.
    """
    schemas = [
        Schema(
            role=role,
            name=names.by_default_name[role],
            tables=sorted(archive.facts(version, role, "table")),
            inserts=inserts(creation(creations, versions, version)[role == "col"]),
        )
        for role, version in sorted(at.items())
    ]
    return _rows_guard(names, schemas, hint=_hint(pairs))


def _hint(pairs: Sequence[Names]) -> str:
    return (
        f"Nothing was applied. `{command(pairs)}` removes them from the schemas; "
        "the archive schemas then keep every row."
    )


def command(pairs: Sequence[Names]) -> str:
    """Return the command that removes these schemas whatever they hold."""
    words = ["alembic", "-x", "destroy=yes"]
    if tuple(pairs) != (Names(),):
        listed = ",".join(_listed(pair.col) for pair in pairs)
        words += ["-x", f"gacl={pairs[0].gacl}", "-x", f"col={listed}"]
    return shlex.join([*words, "downgrade", "base"])


def _listed(name: str) -> str:
    """Return a name as it stands in a list of schemas."""
    plain = name == name.strip() and "," not in name and not name.startswith('"')
    return name if plain else '"' + name.replace('"', '""') + '"'


ROWS_REMAIN = "CM001"
"""The SQLSTATE of the guard's refusal; classes from I to Z are free for applications, and the
rest of C has no such class (PostgreSQL manual, appendix A)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A schema that is about to be removed."""

    role: str
    name: str
    tables: Sequence[str]
    """The application's tables; what else the schema holds stays and is not looked at."""
    inserts: Mapping[str, tuple[str, ...]]
    """The statements that made the rows of a new installation, by table."""


def _rows_guard(names: Names, schemas: Iterable[Schema], *, hint: str) -> str:
    """Return the statement that fails, naming tables and counts, when a user's row exists."""
    counted = "".join(
        _count(names, schema, table)
        for schema in schemas
        for table in sorted(schema.tables)
        if table != VERSION_ROWS
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
    tag = _tag(body)
    return f"do {tag}{body}{tag};"


def _count(names: Names, schema: Schema, table: str) -> str:
    """Return the statements that count the rows of a table that are a user's."""
    live = f"{quoting.identifier(schema.name)}.{quoting.identifier(table)}"
    inserts = schema.inserts.get(table, ())
    count = _count_others(table, live) if inserts else f"select count(*) from {live}"
    made = _made(names, schema, table, live) if inserts else ""
    gone = f"        drop table pg_temp.{table};\n" if inserts else ""
    shown = quoting.literal(f"{schema.name}.{table}")
    return f"""\
    if to_regclass({quoting.literal(live)}) is not null then
{made}        {count} into many;
{gone}        if many > 0 then
            told := told || ', ' || {shown} || ' (' || many || ')';
        end if;
    end if;
"""


def _made(names: Names, schema: Schema, table: str, live: str) -> str:
    """Return the statements that make the rows of the creation script in a temporary table."""
    bound = {**names.by_default_name, schema.role: "pg_temp"}
    lines = [f"create temporary table {table} (like {live} including defaults);"]
    lines += [f"{sql.bind(text, bound)};" for text in schema.inserts[table]]
    if table in SETTABLE:
        key, column = SETTABLE[table]
        lines.append(
            f"update pg_temp.{table} as made set {column} = live.{column}"
            f" from {live} as live where live.{key} = made.{key};"
        )
    return "".join(f"        {line}\n" for line in lines)


def _count_others(table: str, live: str) -> str:
    return (
        f"select count(*) from (select row(live.*)::text from {live} as live"
        f" except all select row(made.*)::text from pg_temp.{table} as made) as others"
    )


def _tag(body: str) -> str:
    """Return dollar quotes that the body does not hold."""
    number = 0
    while f"$rows{number}$" in body:
        number += 1
    return f"$rows{number}$"


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


@contextmanager
def rows_named() -> Iterator[None]:
    """Raise `DowngradeRefused` with what the guard of `emptiness` says."""
    try:
        yield
    except psycopg2.Error as error:
        if error.pgcode != ROWS_REMAIN:
            raise
        message = error.diag.message_primary or ""
        raise DowngradeRefused(message, hint=error.diag.message_hint or "") from error
