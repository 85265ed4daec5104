"""Repair: make a database's facts, owners, sequences, rows and rights those of its version.

In the caller's transaction, who commits, or rolls back what was only to be looked at.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg2
from psycopg2 import extensions

from collec_migrations import versions
from collec_migrations.bridge import ownership, records, reference_rows
from collec_migrations.bridge.catalog_reader import read_catalog
from collec_migrations.bridge.records import Owners, Records
from collec_migrations.bridge.repair_statements import (
    KEYS,
    Change,
    redefinitions,
    statements,
    target,
)
from collec_migrations.catalog import Catalog, Fact, normalised
from collec_migrations.errors import RepairRefused, StatementFailed
from collec_migrations.names import Names
from collec_migrations.postgres import as_owner
from collec_migrations.postgres.quoting import identifier, literal

SHOWN = 10
"""Rows of a finding that are shown."""
ROUNDS = 4
"""Renames and drops can uncover more: it is read and planned again, so many times at most."""


@dataclass(slots=True)
class Result:
    """What a repair did."""

    counts: Counter[str] = field(default_factory=Counter)
    """By kind of change."""
    statements: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    """Rows that forbid what was left out, ten at most of each, with the query to see them."""
    own: tuple[Fact, ...] = ()
    """What belongs to no version: the site's own."""

    def ran(
        self, cursor: extensions.cursor, what: str, found: list[str], *, owner: str = ""
    ) -> None:
        """Run statements and count them; as the owner, if one is given."""
        for one in found:
            try:
                as_owner.execute(cursor, one, role=owner)
            except psycopg2.Error as error:
                raise _refused(error, one, "Repeat it as a superuser, or as the owner.") from None
        self.statements += found
        self.counts.update({what: len(found)} if found and what else {})


def repair(
    connection: extensions.connection,
    names: Names,
    version: str,
    *,
    role: str = "",
    not_valid: bool = False,
) -> Result:
    """Make a database exactly a version: structure, owners, sequences, rows and rights.

    With the extension PostGIS, a database that lived without it gets `object.geom` and its index.

    Raises `RepairRefused` with all rows that forbid it (`not_valid` accepts orphans of foreign
    keys), `StatementFailed` for what the server refuses.
    """
    result = Result()
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        # A sequence that a column owns follows its table; the others go by themselves.
        for kinds in (("table",), ("sequence", "view", "function")):
            read = records.read_owners(connection, names, role=role)
            result.ran(cursor, "owner", _of_others(names, version, read, kinds))
        new = ownership.Watch(cursor, names)
        with _as_owner(cursor, names, read.majority) as owner:
            _repair_structure(
                connection, names, version, read.majority, not_valid, result, acting=owner
            )
            new.settle()
            _repair_rows(connection, cursor, names, version, result, acting=owner)
        read = records.read_owners(connection, names, role=role)
        result.ran(cursor, "right granted", _lacking(names, version, read))
    return result


@contextmanager
def _as_owner(cursor: extensions.cursor, names: Names, owner: str) -> Iterator[str]:
    """Give the role with whose rights a superuser repairs: that of the tables, which all have now.

    Their triggers, checks and defaults are of its making. Empty: everything runs as who is
    connected, who is no superuser, or the tables are a superuser's own.
    """
    if not as_owner.is_needed(cursor, owner):
        yield ""
        return
    schemas = [names.gacl, names.col]
    role = identifier(owner)
    cursor.execute(LACKING, (owner, owner, schemas))
    given = [
        f"{right} on schema {identifier(schema)}"
        for schema, *row in cursor.fetchall()
        for right, lacks in zip(("usage", "create"), row, strict=True)
        if lacks
    ]
    for right in given:
        cursor.execute(f"grant {right} to {role}")
    yield owner
    for right in given:
        cursor.execute(f"revoke {right} from {role}")


LACKING = """
select n.nspname::text, not pg_catalog.has_schema_privilege(%s::name, n.oid, 'usage'),
       not pg_catalog.has_schema_privilege(%s::name, n.oid, 'create')
from pg_catalog.pg_namespace n where n.nspname = any (%s::text[])
"""


def _repair_structure(
    connection: extensions.connection,
    names: Names,
    version: str,
    owner: str,
    not_valid: bool,
    result: Result,
    *,
    acting: str,
) -> None:
    done: set[str] = set()
    redefined = without_column = False
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        cursor.execute("select pg_catalog.current_setting('search_path')")
        (before,) = cursor.fetchone() or ("",)
        extended = _extended(cursor, version)
        without_postgis = "postgis" not in extended
        schemas = dict.fromkeys([names.gacl, names.col, "public", *extended.values()])
        for _ in range(ROUNDS):
            observed = read_catalog(connection, names)
            expected = target(version, observed, without_postgis=without_postgis)
            planned = [one for one in statements(expected, observed, names, version, owner)
                       if one.statement not in done]  # fmt: skip
            if not planned and redefined:
                break
            cursor.execute(f"set local search_path to {', '.join(map(identifier, schemas))}")
            for one in planned:
                if one.stage >= KEYS and without_column:
                    break  # keys and indexes may need a column that could not be made
                done.add(one.statement)
                _execute(cursor, one, result, not_valid=not_valid, owner=acting)
                without_column = without_column or (bool(result.findings) and one.stage < KEYS)
            if result.findings:
                break
            if not redefined:
                redefined = True
                for statement in redefinitions(read_catalog(connection, names), names, version):
                    as_owner.execute(cursor, statement, role=acting)
        cursor.execute("select pg_catalog.set_config('search_path', %s, true)", (before,))
    if result.findings:
        kept = " With COLLEC_NOT_VALID=yes it keeps orphans of foreign keys as they are."
        raise RepairRefused(
            "rows do not meet what the version requires:\n" + "\n".join(result.findings),
            hint="Correct these rows, then: `collec-migrations adopt`."
            + ("" if not_valid else kept),
        )
    observed = read_catalog(connection, names)
    expected = target(version, observed, without_postgis=without_postgis)
    left = sorted(missing(expected, observed))
    if left:
        raise RepairRefused(
            f"schema {names.col!r} could not be made {version}: "
            + ", ".join(f"{one.kind} {one.name}" for one in left[:SHOWN]),
            hint="Please report this with the output of `collec-migrations verify --json`.",
        )
    own = normalised(observed).facts - expected.facts
    result.own = tuple(sorted(one for one in own if not _is_unchecked(one)))


def missing(expected: Catalog, observed: Catalog) -> frozenset[Fact]:
    """Return the facts that are not there; a key that is NOT VALID counts as there."""
    there = normalised(observed).facts
    unchecked = {one._replace(definition=one.definition.removesuffix(" NOT VALID"))
                 for one in there if _is_unchecked(one)}  # fmt: skip
    return expected.facts - there - unchecked


def _is_unchecked(fact: Fact) -> bool:
    return fact.kind == "constraint" and fact.definition.endswith(" NOT VALID")


def _extended(cursor: extensions.cursor, version: str) -> dict[str, str]:
    """Return the schema of each extension; pg_trgm is made where an index needs it."""
    cursor.execute(
        "select x.extname, n.nspname from pg_catalog.pg_extension x"
        " join pg_catalog.pg_namespace n on n.oid = x.extnamespace where n.nspname <> 'pg_catalog'"
    )
    found = dict(cursor.fetchall())
    needed = any("gin_trgm_ops" in fact.definition for fact in versions.upgraded(version).facts)
    if needed and "pg_trgm" not in found:
        try:
            cursor.execute("create extension if not exists pg_trgm with schema public")
            found["pg_trgm"] = "public"
        except psycopg2.Error as error:
            raise StatementFailed(
                f"extension pg_trgm, which version {version} needs, cannot be made:"
                f" {str(error).splitlines()[0]}",
                hint="Install the server's contrib package, and as a superuser type: create"
                " extension pg_trgm with schema public.",
            ) from None
    return found


def _execute(
    cursor: extensions.cursor, one: Change, result: Result, *, not_valid: bool, owner: str
) -> None:
    statement = one.statement
    try:
        if one.check:
            query = f"select * from ({one.check}) as stray limit {SHOWN + 1}"
            found = as_owner.rows(cursor, query, role=owner)
            rows = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in found]
            if rows and not one.finding:
                return
            if rows and not (one.unchecked and not_valid):
                counting = f"select count(*) as rows from ({one.check}) as stray"
                ((total,),) = (row.values() for row in as_owner.rows(cursor, counting, role=owner))
                shown = [f"    {row}" for row in rows[:SHOWN]]
                lines = [f"  {one.finding}, {total} in all:", *shown, f"    see: {one.check};"]
                result.findings.append("\n".join(lines))
                return
            statement = one.unchecked if rows else statement
        if result.findings and one.stage >= KEYS:
            return  # it may need a key that was refused; nothing is kept anyway
        as_owner.execute(cursor, statement, role=owner)
    except psycopg2.Error as error:
        raise _refused(error, statement.splitlines()[0], "Nothing was changed.") from None
    result.statements.append(statement)
    if one.what:
        result.counts[one.what] += 1


def _refused(error: psycopg2.Error, statement: str, advice: str) -> StatementFailed:
    return StatementFailed(
        f"cannot repair: {str(error).strip().splitlines()[0]}",
        hint=f"The statement was: {statement} {advice}",
    )


def _of_others(names: Names, version: str, read: Owners, kinds: tuple[str, ...]) -> list[str]:
    """Return what gives things of the version that another role owns to the owner of the most."""
    known = {fact[:3] for fact in versions.upgraded(version).facts}
    return [
        f"alter {one.kind} {_at(names, one.role, one.name)} owner to {identifier(read.majority)}"
        for one in read.objects
        if one.kind in kinds and one.owner != read.majority and one[:3] in known
    ]


def _at(names: Names, role: str, name: str) -> str:
    called, bracket, arguments = name.partition("(")
    return f"{identifier(names.by_default_name[role])}.{identifier(called)}{bracket}{arguments}"


def _lacking(names: Names, version: str, read: Owners) -> list[str]:
    """Return what grants the application's account the rights that it lacks."""
    known = {fact[:3] for fact in versions.upgraded(version).facts}
    found: list[str] = []
    for one in read.objects:
        if one.lacking and (one.kind == "schema" or one[:3] in known):
            is_schema = one.kind == "schema"
            name = (
                identifier(names.by_default_name[one.role])
                if is_schema
                else _at(names, one.role, one.name)
            )
            kind = "table" if one.kind == "view" else one.kind
            found.append(f"grant {one.lacking} on {kind} {name} to {identifier(read.application)}")
    return found


def _repair_rows(
    connection: extensions.connection,
    cursor: extensions.cursor,
    names: Names,
    version: str,
    result: Result,
    *,
    acting: str,
) -> None:
    """Set sequences that are behind, and give the tables the rows that the version has."""
    observed = read_catalog(connection, names)
    owners = records.read_owners(connection, names)
    for _ in range(3):  # rows take ids of sequences, and have ids of their own
        read, _ = records.read_records(connection, names, observed, owners)
        behind = [
            f"select pg_catalog.setval({literal(_at(names, one.role, one.sequence))},"
            f" {one.greatest})"
            for one in read.positions
            if one.is_behind
        ]
        result.ran(cursor, "sequence behind", behind, owner=acting)
        if not behind:
            rows = [
                *_numbers(names, version, read),
                *reference_rows.additions(version, read.rows, names),
            ]
            result.ran(cursor, "row", rows, owner=acting)
            if not rows:
                break


def _numbers(names: Names, version: str, read: Records) -> list[str]:
    """Return what makes `dbversion` name this version, and none that came later or never was."""
    if not versions.is_recorded(version):
        return []
    table = _at(names, "col", "dbversion")
    found = [
        f"delete from {table} where dbversion_number = {literal(number)}"
        for number in read.numbers
        if number not in versions.VERSIONS or versions.position(number) > versions.position(version)
    ]
    if version not in read.numbers:
        found.append(
            f"insert into {table} (dbversion_number, dbversion_date)"
            f" values ({literal(version)}, now())"
        )
    return found
