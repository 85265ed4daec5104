"""A guard that lets a removal pass only when no row was entered by a user. Pure.

It is one statement, so that psql can run it as well. A row is a user's unless it equals, in all
columns, a row of the creation script; that script's rows are made in temporary tables, with the
defaults of the live ones, and compared as texts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collec_migrations import sql
from collec_migrations.migrate import reference
from collec_migrations.names import Names
from collec_migrations.postgres import quoting

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


def guard(names: Names, schemas: Iterable[Schema], *, hint: str) -> str:
    """Return the statement that fails, naming tables and counts, when a user's row exists."""
    counted = "".join(
        _count(names, schema, table)
        for schema in schemas
        for table in sorted(schema.tables)
        if table != reference.VERSION_ROWS
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
    if table in reference.SETTABLE:
        key, column = reference.SETTABLE[table]
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
