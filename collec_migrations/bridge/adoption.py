"""Adopt a database: repair it until it is exactly a version, and write that version, at once.

The caller commits. Every later step starts from one known shape, whatever installer, hand or
interrupted script made the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from psycopg2 import extensions, sql

from collec_migrations import versions
from collec_migrations.bridge import decision, detection, history, records, repairs
from collec_migrations.bridge.decision import Answer, Detection, Evidence
from collec_migrations.bridge.difference import Difference
from collec_migrations.bridge.repair_statements import statements, target
from collec_migrations.errors import AdoptionRefused, UnknownVersion
from collec_migrations.names import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What was done, or would be done."""

    names: Names
    version: str
    already: bool = False
    """The database was adopted as this version before, and nothing had to be repaired."""
    checked: bool = True
    """Whether the version is known here; else it was written as it was named."""
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
    or another than `version`, `RepairRefused` when rows forbid it.
    """
    read = detection.read_evidence(connection, names, expected=expected, role=role)
    recorded = read.records.alembic
    evidence, seen = detection.look(connection, names, read=decision.without_alembic(read))
    chosen, why = choose(evidence, seen, version)
    if seen.answer is Answer.LATER:
        already = recorded == (chosen,)
        if not already:
            note = "not checked: a version that is not known"
            _record(connection, names, chosen, note=note, owner=evidence.owners.majority)
        return Adoption(names=names, version=chosen, already=already, checked=False)
    before = (
        detection.verify(connection, names, version=chosen, role=role).differences
        if recorded == (chosen,)
        else ()
    )
    done = repairs.repair(connection, names, chosen, role=role, not_valid=not_valid)
    already = recorded == (chosen,) and not done.counts
    if already and before:
        # Views and functions are defined anew without a count: only the result tells.
        left = detection.verify(connection, names, version=chosen, role=role).differences
        if redefined := len(set(before) - set(left)):
            already, done.counts["view or function redefined"] = False, redefined
    if not already:
        note = ", ".join(f"{kind}: {count}" for kind, count in sorted(done.counts.items()))
        owner = records.read_owners(connection, names, role=role).majority
        _record(connection, names, chosen, note=note, owner=owner)
    report = detection.verify(connection, names, version=chosen, role=role)
    return Adoption(
        names=names,
        version=chosen,
        already=already,
        counts=dict(sorted(done.counts.items())),
        statements=tuple(done.statements),
        why=why,
        own=tuple(f"{one.kind} {one.name}" for one in done.own),
        left=report.differences,
    )


def refuse_stamp(connection: extensions.connection, names: Names, version: str) -> None:
    """Raise `AdoptionRefused` where `alembic stamp VERSION` would write what is not true.

    An empty or removed database (`stamp base`) is the caller's to ask; so is `--force`.
    """
    read = detection.read_evidence(connection, names)
    _, seen = detection.look(connection, names, read=decision.without_alembic(read))
    broken = [one for one in seen.breaking if one.name != history.VERSION_TABLE]
    if seen.versions == (version,) and (seen.answer is Answer.LATER or not broken):
        return
    if not seen.versions:
        raise AdoptionRefused(
            f"schema {names.col!r} is {seen.answer}: there is nothing to stamp",
            hint="Type: alembic upgrade head   which installs it; or name the schemas with -x.",
        )
    many = f" with {len(broken)} differences" if broken else ""
    raise AdoptionRefused(
        f"schema {names.col!r} is seen as {' or '.join(seen.versions)}{many}, not as {version}",
        hint="Type: collec-migrations adopt   which repairs what differs and writes the version.",
    )


def choose(evidence: Evidence, seen: Detection, version: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the version to adopt a database as, and why where there were two.

    Between two versions: the one that needs fewer repairs of tables and columns; what the
    application and `dbversion` name wins a tie. A version that is named decides.
    """
    place = f"schema {evidence.names.col!r}"
    if version is not None and version not in (*versions.VERSIONS, *seen.versions):
        raise UnknownVersion(
            f"there is no version {version!r} of the database",
            hint=f"Known versions: {', '.join(versions.VERSIONS)}.",
        )
    if seen.answer in (Answer.EMPTY, Answer.ONLY_GACL, Answer.OTHER):
        raise AdoptionRefused(
            f"{place} is {seen.answer}: there is nothing to adopt",
            hint="Run `collec-migrations detect`; name the schemas with --gacl and --col.",
        )
    recorded = evidence.records.alembic == seen.versions
    if seen.answer is Answer.LATER and version is None and not recorded:
        raise AdoptionRefused(
            f"{place} records version {seen.versions[0]}, which is not known here: it cannot be "
            "checked",
            hint=f"Type: collec-migrations adopt {seen.versions[0]}   which writes it unchecked.",
        )
    if seen.answer is Answer.OLDER and version is None:
        raise AdoptionRefused(
            f"{place} is older than 1.0, the first version that this tool knows",
            hint="Bring it to 1.0 with the scripts of that release; or, to have what is missing "
            "made, type: collec-migrations adopt 1.0",
        )
    if version is not None and version not in seen.versions and seen.answer is not Answer.OLDER:
        raise AdoptionRefused(
            f"{place} is not {version} but {' or '.join(seen.versions)}",
            hint=f"Type: collec-migrations adopt   which takes it as {seen.versions[-1]}.",
        )
    if version is not None:
        return version, ()
    if len(seen.versions) == 1:
        return seen.versions[0], ()
    counted = {one: _count_repairs(evidence, one) for one in seen.versions}
    said = {decision.recorded_version(evidence.records), evidence.expected} - {""}
    chosen = min(seen.versions, key=lambda one: (counted[one][0], one not in said, counted[one][1]))
    counts = ", ".join(f"{one}: {counted[one][0]} of {counted[one][1]}" for one in seen.versions)
    return chosen, (
        f"Between {' and '.join(seen.versions)}, {chosen} is taken: fewer repairs of tables and "
        f"columns, then what the application and dbversion name ({counts} repairs).",
    )


def _count_repairs(evidence: Evidence, version: str) -> tuple[int, int]:
    """Return how many repairs of tables and columns, and of everything, make it this version.

    Keys, indexes and views hold nothing: to make them again tells little of a version.
    """
    expected = target(version, evidence.observed)
    found = [
        one.what
        for one in statements(expected, evidence.observed, evidence.names, version)
        if one.what
    ]
    return sum(one.startswith(("table", "column")) for one in found), len(found)


# Record -----------------------------------------------------------------------------------------


def _record(
    connection: extensions.connection, names: Names, version: str, *, note: str, owner: str
) -> None:
    """Write Alembic's version and the history of both schemas."""
    with connection.cursor(cursor_factory=extensions.cursor) as cursor:
        _write_version(cursor, names.col, version)
        entries = {names.col: history.Entry(version=version, kind="adopted", note=note)}
        # A data schema beside this one may have brought the rights schema to a later version.
        past = history.read(cursor, names.gacl)
        known = past[-1].version if past else None
        if known is None or versions.order(known) < versions.order(version):
            entries[names.gacl] = history.Entry(version=version, kind="adopted")
        history.record(cursor, entries)
        _give(cursor, names, owner)


def _write_version(cursor: extensions.cursor, schema: str, version: str) -> None:
    """Write Alembic's version, in its table as Alembic itself creates it.

    Raises `UntrustedTable` for what is there by that name and is no plain table.
    """
    table = sql.Identifier(schema, history.VERSION_TABLE)
    if not history.has_version_table(cursor, schema):
        cursor.execute(history.version_table(schema))
    cursor.execute(sql.SQL("delete from {}").format(table))
    cursor.execute(sql.SQL("insert into {} values ({})").format(table, sql.Literal(version)))


def _give(cursor: extensions.cursor, names: Names, owner: str) -> None:
    """Give what was created to the owner of the application's tables, who upgrades later on."""
    cursor.execute("select current_user")
    if not owner or cursor.fetchone() == (owner,):
        return
    for schema, table in (
        (names.col, history.VERSION_TABLE),
        (names.col, history.TABLE),
        (names.gacl, history.TABLE),
    ):
        cursor.execute(
            sql.SQL("alter table if exists {} owner to {}").format(
                sql.Identifier(schema, table), sql.Identifier(owner)
            )
        )
