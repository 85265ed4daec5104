"""Adopt a database: repair it until it is exactly a version, and write that version, at once.

The caller commits. Every later step starts from one known shape, whatever installer, hand or
interrupted script made the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg2
from psycopg2 import extensions

from collec_migrations import versions
from collec_migrations.bridge import (
    adoption_records,
    catalog_reader,
    decision,
    detection,
    holdings,
    owners,
    recorded_version,
    records,
    reference_rows,
    repairs,
    state,
    verification,
)
from collec_migrations.bridge.answer import Answer, Detection
from collec_migrations.bridge.difference import Difference
from collec_migrations.errors import AdoptionRefused, RepairRefused, StatementFailed, UnknownVersion
from collec_migrations.names import Names
from collec_migrations.postgres.quoting import identifier, literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What was done, or would be done."""

    names: Names
    version: str
    already: bool = False
    """The database was adopted as this version before, and nothing had to be repaired."""
    forced: str = ""
    """What was overruled, as the history has it."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How much was changed, by kind."""
    statements: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    """The rule by which one of two versions was taken."""
    own: tuple[str, ...] = ()
    """What belongs to no version: the site's own, left as it is."""
    left: tuple[Difference, ...] = ()
    """Differences that remain and do not break the application."""


def adopt(
    connection: extensions.connection,
    names: Names,
    version: str | None = None,
    *,
    expected: str = "",
    role: str = "",
    not_valid: bool = False,
) -> Adoption:
    """Repair and write the version that is seen, or the one that is named.

    `expected` is what the application asks for, `role` its account. `not_valid` adds foreign keys
    that orphans forbid without a check. Raises `AdoptionRefused` when what is there is no version
    or another than `version`, `RepairRefused` when rows stand against it.
    """
    evidence, seen = _look(connection, names, expected)
    recorded = evidence.records.alembic
    if recorded == seen.versions and seen.answer is Answer.LATER:
        return Adoption(names=names, version=seen.versions[0], already=True)
    chosen, why = choose(evidence, seen, version)
    return _adopted(connection, names, chosen, why, recorded, role=role, not_valid=not_valid)


def adopt_forced(connection: extensions.connection, names: Names, version: str) -> Adoption:
    """Write a version as it is named, repairing nothing; the history says what was overruled."""
    _, seen = _look(connection, names, "")
    if version not in versions.VERSIONS and version not in seen.versions:
        raise _unknown(version)
    if version not in versions.VERSIONS:
        forced = "forced: a version that is not known cannot be checked"
    else:
        told = ", ".join(seen.versions) or seen.answer
        sound = seen.is_sound and seen.versions == (version,)
        forced = "" if sound else (
            f"forced: seen as {told}, {len(seen.breaking)} differences that break the application"
        )  # fmt: skip
    owner = owners.read_owners(connection, names).majority
    adoption_records.record(connection, names, version, note=forced, owner=owner)
    return Adoption(names=names, version=version, forced=forced)


def refuse_stamp(connection: extensions.connection, names: Names, version: str) -> None:
    """Raise `AdoptionRefused` where `alembic stamp VERSION` would write what is not true.

    An empty or removed database (`stamp base`) is the caller's to ask; so is `--force`.
    """
    _, seen = _look(connection, names, "")
    if seen.versions == (version,) and (seen.answer is Answer.LATER or not _broken(seen)):
        return
    told = " or ".join(seen.versions) or str(seen.answer)
    many = f" with {len(_broken(seen))} differences" if _broken(seen) else ""
    refused = f"schema {names.col!r} is seen as {told}{many}, not as {version}"
    if not seen.versions:
        raise AdoptionRefused(
            f"schema {names.col!r} is {seen.answer}: there is nothing to stamp",
            hint="Type: alembic upgrade head   which installs it; or name the schemas with -x.",
        )
    raise AdoptionRefused(
        refused,
        hint="Type: collec-migrations adopt   which repairs what differs and writes the version.",
    )


def choose(
    evidence: decision.Evidence, seen: Detection, version: str | None
) -> tuple[str, tuple[str, ...]]:
    """Return the version to adopt a database as, and why where there were two.

    Between two versions: the one that needs fewer repairs of tables and columns; what the
    application and `dbversion` name wins a tie. A version that is named decides.
    """
    names = evidence.names
    if version is not None and version not in versions.VERSIONS:
        raise _unknown(version)
    if seen.answer in (Answer.EMPTY, Answer.ONLY_GACL, Answer.OTHER):
        raise AdoptionRefused(
            f"schema {names.col!r} is {seen.answer}: there is nothing to adopt",
            hint="Run `collec-migrations detect`; name the schemas with --gacl and --col.",
        )
    if seen.answer is Answer.LATER and version is None:
        raise AdoptionRefused(
            f"schema {names.col!r} says to be at version {seen.versions[0]}, which this tool does "
            "not know: it cannot be checked",
            hint=f"Type: collec-migrations adopt {seen.versions[0]} --force",
        )
    if seen.answer is Answer.OLDER and version is None:
        raise AdoptionRefused(
            f"schema {names.col!r} is older than 1.0, the first version that this tool knows",
            hint="Bring it to 1.0 with the scripts of that release; or, to have what is missing "
            "made, type: collec-migrations adopt 1.0",
        )
    if version is not None and version not in seen.versions and seen.answer is not Answer.OLDER:
        told = " or ".join(seen.versions)
        raise AdoptionRefused(
            f"schema {names.col!r} is not {version} but {told}",
            hint=f"Type: collec-migrations adopt   which takes it as {seen.versions[-1]}; with "
            f"{version} --force it is written as {version} unrepaired.",
        )
    if version is not None:
        return version, ()
    if len(seen.versions) == 1:
        return seen.versions[0], ()
    return _preferred(evidence, seen)


def _preferred(evidence: decision.Evidence, seen: Detection) -> tuple[str, tuple[str, ...]]:
    counted = {one: count_repairs(evidence, one) for one in seen.versions}
    said = {recorded_version.says(evidence.records), evidence.expected} - {""}
    chosen = min(
        seen.versions,
        key=lambda one: (counted[one][0], one not in said, counted[one][1]),
    )
    counts = ", ".join(f"{one}: {counted[one][0]} of {counted[one][1]}" for one in seen.versions)
    return chosen, (
        f"Between {' and '.join(seen.versions)}, {chosen} is taken: fewer repairs of tables and "
        f"columns, then what the application and dbversion name ({counts} repairs).",
    )


def count_repairs(evidence: decision.Evidence, version: str) -> tuple[int, int]:
    """Return how many repairs of tables and columns, and of everything, make it this version.

    Keys, indexes and views hold nothing: to make them again tells little of a version.
    """
    expected = repairs.target(version, evidence.observed)
    found = [
        one.what
        for one in repairs.statements(expected, evidence.observed, evidence.names, version)
        if one.what
    ]
    return sum(one.startswith(("table", "column")) for one in found), len(found)


def _look(
    connection: extensions.connection, names: Names, expected: str
) -> tuple[decision.Evidence, Detection]:
    """Return what the database is by what is seen: Alembic's own version does not count."""
    evidence = detection.read_evidence(connection, names, expected=expected)
    return evidence, decision.decide(decision.without_alembic(evidence))


def _broken(seen: Detection) -> tuple[Difference, ...]:
    return tuple(one for one in seen.breaking if one.name != state.VERSION_TABLE)


def _unknown(version: str) -> UnknownVersion:
    return UnknownVersion(
        f"there is no version {version!r} of the database",
        hint=f"Known versions: {', '.join(versions.VERSIONS)}.",
    )


def _adopted(
    connection: extensions.connection,
    names: Names,
    version: str,
    why: tuple[str, ...],
    recorded: tuple[str, ...],
    *,
    role: str,
    not_valid: bool,
) -> Adoption:
    done = repaired(connection, names, version, role=role, not_valid=not_valid)
    already = recorded == (version,) and not done.counts
    if not already:
        note = ", ".join(f"{kind}: {count}" for kind, count in sorted(done.counts.items()))
        owner = owners.read_owners(connection, names, role=role).majority
        adoption_records.record(connection, names, version, note=note, owner=owner)
    report = verification.verify(connection, names, version=version, role=role)
    return Adoption(
        names=names,
        version=version,
        already=already,
        counts=dict(sorted(done.counts.items())),
        statements=tuple(done.statements),
        why=why,
        own=tuple(f"{one.kind} {one.name}" for one in done.own),
        left=report.differences,
    )


def repaired(
    connection: extensions.connection,
    names: Names,
    version: str,
    *,
    role: str = "",
    not_valid: bool = False,
) -> repairs.Result:
    """Make a database exactly a version: structure, owners, sequences, rows and rights.

    The caller commits, or rolls back what was only to be looked at.
    """
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        new = holdings.Watch(cursor, names)
        read = owners.read_owners(connection, names, role=role)
        # A sequence that a column owns follows its table; the others go by themselves.
        strays = _strays(names, version, read, ("table",))
        _run(cursor, strays)
        read = owners.read_owners(connection, names, role=role)
        strays += (others := _strays(names, version, read, ("sequence", "view", "function")))
        _run(cursor, others)
        done = repairs.run(connection, names, version, owner=read.majority, not_valid=not_valid)
        new.settle()
        if done.left:
            raise RepairRefused(
                f"schema {names.col!r} could not be made {version}: "
                + ", ".join(f"{one.kind} {one.name}" for one in done.left[:10]),
                hint="Please report this with the output of `collec-migrations verify --json`.",
            )
        rows = _put_rows_right(connection, names, version)
        rights = _lacking(names, version, owners.read_owners(connection, names, role=role))
        _run(cursor, rights)
    done.statements[:] = [*strays, *done.statements, *rows, *rights]
    for kind, statements in (
        ("owner", strays),
        ("sequence behind", [one for one in rows if one.startswith("select")]),
        ("row", [one for one in rows if not one.startswith("select")]),
        ("right granted", rights),
    ):
        if statements:
            done.counts[kind] += len(statements)
    return done


def _run(cursor: extensions.cursor, statements: list[str]) -> None:
    for statement in statements:
        try:
            cursor.execute(statement)
        except psycopg2.Error as error:
            raise StatementFailed(
                f"cannot repair: {str(error).strip().splitlines()[0]}",
                hint=f"The statement was: {statement} Repeat it as a superuser, or as the owner.",
            ) from None


def _strays(names: Names, version: str, read: owners.Owners, kinds: tuple[str, ...]) -> list[str]:
    """Return what gives things of the version that another role owns to the owner of the most."""
    known = {fact[:3] for fact in versions.upgraded(version).facts}
    return [
        f"alter {one.kind} {_target(names, one.role, one.name)} owner to"
        f" {identifier(read.majority)}"
        for one in read.objects
        if one.kind in kinds
        and one.owner != read.majority
        and (one.role, one.kind, one.name) in known
    ]


def _target(names: Names, role: str, name: str) -> str:
    called, bracket, arguments = name.partition("(")
    schema = names.by_default_name[role]
    return f"{identifier(schema)}.{identifier(called)}{bracket}{arguments}"


def _lacking(names: Names, version: str, read: owners.Owners) -> list[str]:
    """Return what grants the application's account the rights that it lacks."""
    known = {fact[:3] for fact in versions.upgraded(version).facts}
    found: list[str] = []
    for one in read.objects:
        if not one.lacking or (
            one.kind != "schema" and (one.role, one.kind, one.name) not in known
        ):
            continue
        kind = "table" if one.kind == "view" else one.kind
        name = identifier(names.by_default_name[one.role]) if kind == "schema" else _target(
            names, one.role, one.name)  # fmt: skip
        rights = ", ".join(one.lacking)
        found.append(f"grant {rights} on {kind} {name} to {identifier(read.application)}")
    return found


def _put_rows_right(connection: extensions.connection, names: Names, version: str) -> list[str]:
    """Set sequences that are behind, and give the tables the rows that the version has."""
    done: list[str] = []
    observed = catalog_reader.read_catalog(connection, names)
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        for _ in range(3):  # rows take ids of sequences, and have ids of their own
            read = records.read_records(connection, names, observed)
            statements = [
                f"select pg_catalog.setval({literal(_target(names, one.role, one.sequence))},"
                f" {one.greatest})"
                for one in read.positions
                if one.is_behind
            ] or [
                *_numbers(names, version, read),
                *reference_rows.additions(version, read.rows, names),
            ]
            if not statements and done:
                break
            _run(cursor, statements)
            done += statements
    return done


def _numbers(names: Names, version: str, read: records.Records) -> list[str]:
    """Return what makes `dbversion` name this version, and none that came later or never was."""
    if not versions.is_recorded(version):
        return []
    table = _target(names, "col", "dbversion")
    wrong = [number for number in read.numbers
             if number not in versions.VERSIONS
             or versions.position(number) > versions.position(version)]  # fmt: skip
    found = [f"delete from {table} where dbversion_number = {literal(number)}" for number in wrong]
    if version not in read.numbers:
        found.append(
            f"insert into {table} (dbversion_number, dbversion_date)"
            f" values ({literal(version)}, now())"
        )
    return found
