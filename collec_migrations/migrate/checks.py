"""What is asked before a step: its check script, and what new keys would refuse.

A check script (`legacy_sql/check-upgrade-A-B.sql`) holds queries; each stands after the lines
`-- stop: what is wrong` (or `-- warn:`) and `-- hint: What to do.` A row that it gives is a
finding. Duplicates for a new unique key and orphans for a new foreign key are told by the catalogs,
but for a key that the script makes in a `do` block: the script decides whether it makes that.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from psycopg2.extensions import cursor as Cursor  # noqa: N812  (a class in psycopg2)

from collec_migrations import sql, versions
from collec_migrations.errors import RowsRefused
from collec_migrations.names import Names
from collec_migrations.postgres import as_owner, quoting
from collec_migrations.postgres.as_owner import Owners
from collec_migrations.postgres.queries import statement

SHOWN = 5
"""Rows of a finding that are shown; the message says how many there are."""

_HEAD = re.compile(r"^-- (stop|warn|hint): (.*(?:\n--   .*)*)", re.MULTILINE)
_BLOCK = re.compile(r"do\b", re.IGNORECASE)
_UNIQUE = re.compile(r"(?:UNIQUE|PRIMARY KEY) \(([^()]*)\)(?: .*)?")
_UNIQUE_INDEX = re.compile(r"on UNIQUE (\S+) USING btree \(([^()]*)\)(?: WITH .*)?")
_FOREIGN = re.compile(r"FOREIGN KEY \(([^()]*)\) REFERENCES (\S+?)\(([^()]*)\).*")
_ASK = """do $collec_ask$
declare
    found text;
begin
    execute {query} into found;
    perform pg_catalog.set_config('collec_migrations.answer', found, true);
{caught}end $collec_ask$;"""
"""In a block, so that a question asked too early leaves no ERROR in the server's log."""
_CAUGHT = """exception
    when undefined_table or undefined_column or invalid_schema_name or undefined_function
        or undefined_object or insufficient_privilege then
    perform pg_catalog.set_config('collec_migrations.answer', '[]', true);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A query whose rows are findings."""

    message: str
    hint: str
    stops: bool
    query: str
    shown: str
    """File and line, or the key that asks."""
    of_foreign_key: bool = False

    def bound(self, names: Names) -> "Question":
        """Return the question with a site's names."""
        query = sql.bind(self.query, names.by_default_name, shown=self.shown)
        return replace(self, query=query)


@cache
def of_step(old: str, new: str | None, roles: tuple[sql.Role, ...]) -> tuple[Question, ...]:
    """Return the questions of a step, for the schemas that it changes."""
    if new is None:
        return ()
    asked = _of_script(old, new) if "col" in roles else ()
    if not {old, new} <= {*versions.VERSIONS}:
        return tuple(asked)
    return (*asked, *(one for role in roles for one in _of_keys(old, new, role)))


def _of_script(old: str, new: str) -> Iterator[Question]:
    is_up = versions.order(new) > versions.order(old)
    name = f"check-{'upgrade' if is_up else 'downgrade'}-{old}-{new}.sql"
    if not (versions.scripts_folder() / name).is_file():
        return
    source = versions.load(name)
    done = 0
    for one in sql.split(source.text):
        said = {key: " ".join(text.replace("\n--  ", "\n").split())
                for key, text in _HEAD.findall(source.text[done : one.offset])}  # fmt: skip
        done = one.end
        yield Question(
            message=said.get("stop") or said.get("warn", ""),
            hint=said.get("hint", ""),
            stops="stop" in said,
            query=one.text,
            shown=f"{source.shown}:{one.line}",
        )


def _of_keys(old: str, new: str, role: sql.Role) -> Iterator[Question]:
    """Yield the questions that new keys on columns that are there already ask."""
    from collec_migrations.migrate import archive  # the renames of a step

    step = archive.Step(role=role, live=role, store="", old=old, new=new)
    before, after = (versions.upgraded(version).facts for version in (old, new))
    known = {fact.name for fact in before if (fact.role, fact.kind) == (role, "column")}
    conditional = {
        word
        for name in versions.script_names(old, new)
        for one in sql.split(versions.load(name).text)
        if _BLOCK.match(one.text)
        for word in re.findall(r"\w+", one.text)
    }
    for fact in sorted(after - before):
        if fact.role != role or fact.kind not in ("constraint", "index"):
            continue
        if fact.name.rpartition(".")[2] in conditional:
            continue
        table = fact.name.partition(".")[0]
        if fact.kind == "constraint" and (found := _FOREIGN.fullmatch(fact.definition)):
            columns, target, targets = found[1].split(", "), found[2], found[3].split(", ")
            ours = archive.names_before(step, table, columns)
            theirs = archive.names_before(step, target, targets)
            is_new = not any(
                one.kind == "constraint"
                and one.name.partition(".")[0] == ours[0]
                and one.definition.startswith(f"FOREIGN KEY ({', '.join(ours[1])})")
                for one in before
            )
            other = role if f"{theirs[0]}.{theirs[1][0]}" in known else "gacl"
            here = {f"{ours[0]}.{column}" for column in ours[1]} <= known
            there = other == "gacl" != role or {f"{theirs[0]}.{c}" for c in theirs[1]} <= known
            if is_new and here and there:
                yield _orphans(role, ours, other, theirs)
            continue
        found = _UNIQUE.fullmatch(fact.definition) if fact.kind == "constraint" else None
        if fact.kind == "index" and (index := _UNIQUE_INDEX.fullmatch(fact.definition)):
            table, found = index[1], re.fullmatch(r"(.*)", index[2])
        if not found:
            continue
        ours = archive.names_before(step, table, found[1].split(", "))
        listed = ", ".join(ours[1])
        was = any(
            (one.kind == "constraint" and one.name.partition(".")[0] == ours[0]
             and re.match(rf"(UNIQUE|PRIMARY KEY) \({re.escape(listed)}\)", one.definition))
            or (one.kind == "index"
                and one.definition.startswith(f"on UNIQUE {ours[0]} USING btree ({listed})"))
            for one in before if one.role == role
        )  # fmt: skip
        if not was and {f"{ours[0]}.{column}" for column in ours[1]} <= known:
            yield _duplicates(role, *ours)


_ADDED_KEY = re.compile(
    r"(add\s+constraint\s+\w+\s+foreign\s+key\s*\([^()]*\)\s*references\s+[\w.]+\s*\([^()]*\)"
    r"(?:\s+match\s+full|\s+on\s+(?:update|delete)\s+(?:no\s+action|set\s+\w+|\w+))*)",
    re.IGNORECASE,
)


def without_validation(text: str) -> str:
    """Return a script whose new foreign keys are NOT VALID."""
    return _ADDED_KEY.sub(r"\1 not valid", text)


def validation(schemas: Sequence[str]) -> str:
    """Return what validates these schemas' foreign keys, and names those it cannot."""
    listed = ", ".join(f"{quoting.literal(schema)}::name" for schema in schemas)
    return statement("validate_keys").replace("{schemas}", listed)


def _duplicates(role: str, table: str, columns: Sequence[str]) -> Question:
    listed = ", ".join(columns)
    present = " and ".join(f"{column} is not null" for column in columns)
    return Question(
        message=f"{table} holds the same {listed} more than once, which becomes unique",
        hint=f"Make these values of {table} different, or remove rows, then run it again.",
        stops=True,
        query=f"select {listed}, count(*) as rows from {role}.{table} where {present}"
        f" group by {listed} having count(*) > 1 order by {listed}",
        shown=f"unique key of {table}",
    )


def _orphans(
    role: str, ours: tuple[str, Sequence[str]], other: str, theirs: tuple[str, Sequence[str]]
) -> Question:
    table, columns = ours
    present = " and ".join(f"one.{column} is not null" for column in columns)
    equal = " and ".join(
        f"target.{there} = one.{here}" for here, there in zip(columns, theirs[1], strict=True)
    )
    return Question(
        message=f"{table} refers by {', '.join(columns)} to rows of {theirs[0]} that are not there",
        hint=f"Correct or empty these values of {table}, then run it again; or set"
        " COLLEC_NOT_VALID=yes, which leaves the rows and their key NOT VALID.",
        stops=True,
        of_foreign_key=True,
        query=f"select distinct {', '.join(f'one.{column}' for column in columns)}"
        f" from {role}.{table} as one where {present}"
        f" and not exists (select 1 from {other}.{theirs[0]} as target where {equal})"
        f" order by {', '.join(f'one.{column}' for column in columns)}",
        shown=f"foreign key of {table}",
    )


def ask(cursor: Cursor, question: Question, owners: Owners, *, now: bool = False) -> str:
    """Return what a question found, in a line, asked with the owners' rights; empty: nothing.

    `now`: before its step's turn; empty also where it is about what an earlier step will make.
    """
    query = (
        "select coalesce(pg_catalog.json_agg(pg_catalog.row_to_json(one)), '[]')::text"
        f" from ({question.query}) one"
    )
    block = _ASK.format(query=quoting.literal(query), caught=_CAUGHT if now else "")
    with as_owner.acting(cursor, owners) as role:
        as_owner.execute(cursor, block, role=role)
    cursor.execute("select pg_catalog.current_setting('collec_migrations.answer')")
    rows = json.loads((cursor.fetchone() or ("[]",))[0])
    if not rows:
        return ""
    more = len(rows) - SHOWN
    shown = "; ".join(
        ", ".join(f"{name} {_shown(value)}" for name, value in row.items()) for row in rows[:SHOWN]
    )
    return f"{question.message}: {shown}" + (f" and {more} more" if more > 0 else "")


def refusal(question: Question, found: str) -> RowsRefused:
    """Return the error for findings that stop a step."""
    return RowsRefused(f"{found}; nothing was applied", hint=question.hint)


def block(question: Question) -> str:
    """Return a statement that asks where a script for psql runs, and stops or warns."""
    level = "exception" if question.stops else "warning"
    return (
        "do $collec$ declare found text; begin"
        f" select string_agg(asked::text, '; ') into found from ({question.query}) as asked;"
        f" if found is not null then raise {level} using message ="
        f" {quoting.literal(question.message + ': ')} || found,"
        f" hint = {quoting.literal(question.hint)}; end if; end $collec$;"
    )


def _shown(value: Any) -> str:
    text = "null" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
