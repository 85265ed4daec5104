"""What a step takes away, told by two catalogs, and the statements that keep it and bring it back.

The statements call functions of `data/queries/archive.sql`, which decide at run time what holds
a value: so a script for psql does the same as a run on a server.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from pglast import ast, parse_sql

from collec_migrations import sql, versions
from collec_migrations.postgres import quoting
from collec_migrations.postgres.queries import statement
from collec_migrations.sql.statements import ascii_image
from collec_migrations.versions import Declared

_DROPS = re.compile(r"drop\s+(?:table|sequence)\b", re.IGNORECASE)
_WRITES = re.compile(r"(?:insert|update|delete|with|select)\b", re.IGNORECASE)
_INSERT = re.compile(
    r"insert\s+into\s+(?:\"(?:[^\"]|\"\")+\"|\w+)\.(?P<table>\w+)\b", re.IGNORECASE
)
_PRIMARY_KEY = re.compile(r"PRIMARY KEY \(([^()]*)\)")
_PLAIN_TYPE = re.compile(r"(?P<type>.*?)(?: not null)?(?: default .*)?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One schema's step from a version to a neighbour."""

    role: str
    live: str
    store: str
    """The archive schema."""
    old: str
    new: str | None
    """None: everything is removed."""

    @property
    def is_upgrade(self) -> bool:
        """Whether the step leads to the newer version."""
        return self.new is not None and versions.order(self.new) > versions.order(self.old)


class Kept(NamedTuple):
    """What is copied before a step: values of columns, or rows."""

    kind: str
    """columns: the next version lacks them; values: they change; rows: they are deleted."""
    table: str
    living: str | None
    """The table's name in the version reached."""
    columns: tuple[str, ...]
    renames: Mapping[str, str | None]
    """Columns that have another name, or none, in the version reached."""
    condition: str | None
    fills: tuple[str, ...]
    computed: tuple[str, ...]


class Removed(NamedTuple):
    """What the version reached lacks as a whole, and has anew."""

    tables: frozenset[str]
    sequences: frozenset[str]
    new_tables: frozenset[str]


def functions() -> str:
    """Return the definitions of the functions that the other statements call."""
    return statement("archive")


def before(steps: Iterable[Step]) -> str:
    """Return the statement to run before a script."""
    calls = []
    for step in steps:
        calls += [_keep(step, kept) for kept in keeps(step)]
        # Afterwards: rows that return now are not the version's that is left.
        calls.append(_call("collec_before", step))
    return block(calls)


def after(steps: Iterable[Step]) -> str:
    """Return the statement to run after a script."""
    return block(
        f"pg_temp.collec_part({quoting.literal(step.store)})"
        if step.new is None
        else _call("collec_after", step)
        for step in steps
    )


def moving(bound: str, steps: Sequence[Step]) -> str:
    """Return a bound script that moves tables to the archive where it says `drop table`.

    What comes back of tables that it makes is put in before its first statement that reads or
    writes rows of them; then rows that it inserts as plain values are not inserted again. Each
    statement stays on its line.
    """
    removed = {step.live: (step, removals(step)) for step in steps}
    arriving = {name: step for step, found in removed.values() for name in found.new_tables}
    waiting = dict(arriving)
    pieces: list[str] = []
    done = 0
    for one in sql.split(bound):
        new = None
        if _DROPS.match(one.text):
            new = _moves(one.text, removed)
        elif arriving and _WRITES.match(one.text):
            new = _unless_returned(one.text, arriving)
            words = set(re.findall(r"\w+", one.text))
            named = {step.role: step for name, step in waiting.items() if name in words}
            for step in named.values():
                new = f"{block([_call('collec_return_tables', step)])} {new or one.text}"
            waiting = {name: step for name, step in waiting.items() if name not in words}
        if new is not None:
            lost = one.text.count("\n") - new.count("\n")
            pieces += [bound[done : one.offset], new.removesuffix(";"), "\n" * lost]
            done = one.end
    return "".join([*pieces, bound[done:]])


def _unless_returned(text: str, arriving: Mapping[str, Step]) -> str | None:
    """Return what stands for an insert of values into a table whose rows may have returned."""
    found = _INSERT.match(text)
    if not found or found["table"].strip('"') not in arriving:
        return None
    tree: Any = parse_sql(text)[0].stmt
    if not isinstance(tree, ast.InsertStmt) or not getattr(tree.selectStmt, "valuesLists", None):
        return None
    step = arriving[found["table"].strip('"')]
    table = quoting.literal(f"{step.live}.{found['table']}")
    quotes = tag(text)
    return (
        f"do {quotes} begin if not pg_temp.collec_has_returned({table})"
        f" then execute {quoting.literal(text)}; end if; end {quotes};"
    )


def _moves(text: str, removed: Mapping[str, tuple[Step, Removed]]) -> str | None:
    """Return what stands for a `drop` of what the version reached lacks; None: it stays."""
    tree: Any = parse_sql(text)[0].stmt
    what = "table" if tree.removeType.name == "OBJECT_TABLE" else "sequence"
    calls = []
    for words in tree.objects:
        names = [word.sval for word in words]
        step, found = removed.get(names[0], (None, None)) if len(names) == 2 else (None, None)
        gone = (found.tables if what == "table" else found.sequences) if found else frozenset()
        if step is None or names[1] not in gone:
            return None
        calls.append(_call(f"collec_move_{what}", step, quoting.literal(names[1])))
    return block(calls)


def _is_known(step: Step) -> bool:
    """Say whether both versions have a catalog: a new one has none until `make facts` wrote it."""
    return {step.old, step.new} <= {*versions.VERSIONS, None}


@cache
def removals(step: Step) -> Removed:
    """Return what the step removes, and makes, as a whole."""
    if not _is_known(step):
        return Removed(frozenset(), frozenset(), frozenset())
    tables, _ = _renames(step)
    old, new = facts(step.old, step.role, "table"), facts(step.new, step.role, "table")
    free = {name for name, definition in facts(step.old, step.role, "sequence").items()
            if not definition}  # fmt: skip
    renamed = {tables.get(name, name) for name in old}
    return Removed(
        tables=frozenset(name for name in old if tables.get(name, name) not in new),
        sequences=frozenset(free - set(facts(step.new, step.role, "sequence"))),
        new_tables=frozenset(set(new) - renamed),
    )


@cache
def keeps(step: Step) -> tuple[Kept, ...]:
    """Return what is copied before the step, where it is there."""
    if step.new is None or not _is_known(step):
        return ()
    return (*_columns(step), *_changes(step), *_deletes(step))


def _columns(step: Step) -> Iterator[Kept]:
    """Yield the columns that the version reached lacks, and values that it cannot hold."""
    old, new = (_by_table(version, step.role) for version in (step.old, step.new))
    declared = _declared(step)
    tables, columns = _renames(step)
    computed = computes(step)
    for table, found in sorted(old.items()):
        living = tables.get(table, table)
        if living not in new:
            continue
        renames = _renamed(step, table)
        gone = tuple(name for name in found if renames.get(name, name) is None)
        if gone:
            wins = tuple(
                name for name in gone if f"{step.role}.{table}.{name}" in declared.computes
            )
            yield Kept(
                "columns", table, living, gone, renames, None, wins,
                tuple(name for name in gone if (table, name) in computed and name not in wins),
            )  # fmt: skip
        for name, definition in found.items():
            target = new[living].get(columns.get((table, name), name))
            types = [_type(text) for text in (definition, target or definition)]
            if types[0] != types[1]:
                quoted = quoting.identifier(name)
                yield Kept(
                    "values", table, living, (name,), renames,
                    f"({quoted}::{types[1]})::{types[0]}::text is distinct from {quoted}::text",
                    (), (),
                )  # fmt: skip


def _changes(step: Step) -> Iterator[Kept]:
    for name, condition in _declared(step).changes.items():
        role, table, column = name.split(".")
        table, column = _today(step, table, column)
        if role == step.role and column in _by_table(step.old, role).get(table, {}):
            living = _renames(step)[0].get(table, table)
            renames = _renamed(step, table)
            if renames.get(column, column) is not None:
                condition = condition or f"{quoting.identifier(column)} is not null"
                yield Kept("values", table, living, (column,), renames, condition, (), ())


def _deletes(step: Step) -> Iterator[Kept]:
    for name, condition in _declared(step).deletes.items():
        role, table = name.split(".")
        table, _ = _today(step, table, "")
        living = _renames(step)[0].get(table, table)
        if role == step.role and living in facts(step.new, role, "table"):
            found = tuple(_by_table(step.old, role).get(table, {}))
            if found:
                yield Kept(
                    "rows", table, living, found, _renamed(step, table), condition or "true",
                    (), (),
                )  # fmt: skip


@cache
def computes(step: Step) -> frozenset[tuple[str, str]]:
    """Return the columns that the scripts of the way back give values to, by table."""
    found = set()
    for name in versions.script_names(step.new, step.old):
        for one in sql.split(versions.load(name).text):
            if one.text[:6].lower() != "update":
                continue
            tree: Any = parse_sql(ascii_image(one.text))[0].stmt
            relation: Any = tree.relation if isinstance(tree, ast.UpdateStmt) else None
            if relation and relation.schemaname == step.role:
                targets: Any = tree.targetList
                found |= {(relation.relname, target.name) for target in targets}
    return frozenset(found)


def _declared(step: Step) -> Declared:
    """Return what the revision of the newer of the two versions says."""
    return versions.declared(step.new if step.is_upgrade and step.new else step.old)


def _renames(step: Step) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Return the tables and the columns that have another name after the step."""
    return versions.renamed(step.old, step.new, step.role)


def _today(step: Step, table: str, column: str) -> tuple[str, str]:
    """Return the names before the step of what a revision names as the older version does."""
    if step.is_upgrade:
        return table, column
    tables, columns = _renames(step)
    now = next((new for new, old in tables.items() if old == table), table)
    return now, next(
        (new for (at, new), old in columns.items() if (at, old) == (now, column)), column
    )


def _renamed(step: Step, table: str) -> dict[str, str | None]:
    """Return the columns of a table that have another name, or none, after the step."""
    tables, columns = _renames(step)
    after = _by_table(step.new, step.role).get(tables.get(table, table), {})
    named = {
        name: columns.get((table, name), name) for name in _by_table(step.old, step.role)[table]
    }
    return {name: new if new in after else None for name, new in named.items()
            if new != name or new not in after}  # fmt: skip


def _type(definition: str) -> str:
    found = _PLAIN_TYPE.fullmatch(definition)
    assert found
    return found["type"]


@cache
def facts(version: str | None, role: str, kind: str) -> dict[str, str]:
    """Return the facts of a kind, name to definition."""
    facts = versions.upgraded(version).facts if version else frozenset()
    return {fact.name: fact.definition for fact in facts if (fact.role, fact.kind) == (role, kind)}


@cache
def _by_table(version: str | None, role: str) -> dict[str, dict[str, str]]:
    """Return the columns of each table with their definitions."""
    found: dict[str, dict[str, str]] = {}
    for name, definition in sorted(facts(version, role, "column").items()):
        table, _, column = name.partition(".")
        found.setdefault(table, {})[column] = definition
    return found


def block(calls: Iterable[str]) -> str:
    """Return one statement, on one line, that makes these calls."""
    body = " ".join(f"perform {call};" for call in calls)
    quotes = tag(body)
    return f"do {quotes} begin {body or 'null;'} end {quotes};"


def tag(body: str) -> str:
    """Return dollar quotes that a body does not hold."""
    number = 0
    while f"$collec{number or ''}$" in body:
        number += 1
    return f"$collec{number or ''}$"


def _call(function: str, step: Step, *between: str) -> str:
    named = [quoting.literal(step.live), quoting.literal(step.store), *between]
    given = ", ".join([*named, quoting.literal(step.old), quoting.literal(step.new)])
    return f"pg_temp.{function}({given})"


def _keep(step: Step, kept: Kept) -> str:
    given = [
        quoting.literal(step.live),
        quoting.literal(step.store),
        quoting.literal(step.old),
        quoting.literal(step.new),
        quoting.literal(kept.kind),
        quoting.literal(kept.table),
        quoting.literal(kept.living),
        _array(kept.columns),
        quoting.literal(json.dumps(kept.renames)),
        quoting.literal(kept.condition),
        _array(kept.fills),
        _array(kept.computed),
        _array(_own_key(step, kept)),
    ]
    return f"pg_temp.collec_keep({', '.join(given)})"


@cache
def _primary_key(version: str | None, role: str, table: str | None) -> tuple[str, ...]:
    """Return the columns of a table's primary key."""
    for name, definition in facts(version, role, "constraint").items():
        found = _PRIMARY_KEY.match(definition)
        if found and name.partition(".")[0] == table:
            return tuple(found[1].split(", "))
    return ()


def _own_key(step: Step, kept: Kept) -> tuple[str, ...]:
    """Return the key of the version reached, where the table's own does not go on; else nothing."""
    own = _primary_key(step.old, step.role, kept.table)
    if all(kept.renames.get(name, name) is not None for name in own):
        return ()
    back = {new: name for name, new in kept.renames.items()}
    columns = _by_table(step.old, step.role)[kept.table]
    key = tuple(back.get(name, name) for name in _primary_key(step.new, step.role, kept.living))
    return key if all(name in columns for name in key) else ()


def _array(values: Sequence[str]) -> str:
    return f"array[{', '.join(map(quoting.literal, values))}]::text[]"


def names_before(step: Step, table: str, columns: Sequence[str]) -> tuple[str, list[str]]:
    """Return what a table and its columns, named as after the step, are called before it."""
    tables, renamed = _renames(step)
    was = next((old for old, new in tables.items() if new == table), table)
    back = {new: old for (at, old), new in renamed.items() if at == was}
    return was, [back.get(column, column) for column in columns]
