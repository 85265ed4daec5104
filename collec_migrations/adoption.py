"""Put a recognised database under Alembic's care: its version and a row of history, at once."""

from dataclasses import dataclass

from psycopg2 import extensions, sql

from collec_migrations import releases
from collec_migrations.comparison.difference import Difference
from collec_migrations.database import history, state
from collec_migrations.errors import MigrationError, UnknownVersion
from collec_migrations.names import Names
from collec_migrations.verification import mending, repairing, verifying
from collec_migrations.verification.report import Report


class AdoptionRefused(MigrationError):
    """The database is not soundly the version that it would be adopted as."""

    exit_status = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What was done."""

    names: Names
    version: str
    already: bool = False
    """The database was adopted as this version before: nothing was written."""
    forced: str = ""
    """What was overruled, as the history has it."""
    mended: tuple[Difference, ...] = ()
    left: tuple[Difference, ...] = ()
    """Differences that do not break the application."""


def adopt(connection: extensions.connection, names: Names, version: str | None = None) -> Adoption:
    """Write the version that is seen; the caller commits.

    Raises `AdoptionRefused` when what is seen is no version, is another than `version`, or
    differs from it in what breaks the application.
    """
    report = _report(connection, names, version)
    _refuse_contradiction(report, version)
    _refuse_breaking(report)
    return _written(connection, report)


def adopt_mended(
    connection: extensions.connection, names: Names, version: str | None = None
) -> Adoption:
    """Mend first, in the same transaction; raises `AdoptionRefused` when that is not enough."""
    report = _report(connection, names, version)
    _refuse_contradiction(report, version)
    planned = repairing.plan(connection, report)
    repairing.run(connection, planned)
    report = verifying.verify(connection, names, version=report.version)
    _refuse_breaking(report)
    return _written(connection, report, planned=planned)


def adopt_forced(connection: extensions.connection, names: Names, version: str) -> Adoption:
    """Write a version whatever is seen; the history says what was overruled."""
    report = _report(connection, names, version)
    seen = ", ".join(report.detection.versions) or report.detection.answer
    forced = "" if report.is_sound and seen == version else (
        f"forced: seen as {seen}, {len(report.breaking)} differences that break the application"
    )  # fmt: skip
    return _written(connection, report, forced=forced)


def contradiction(connection: extensions.connection, names: Names, version: str) -> str:
    """Return what `alembic stamp` should warn of before it writes a version; empty: nothing."""
    seen = verifying.look(connection, names)
    if seen.is_sound and seen.versions == (version,):
        return ""
    told = " or ".join(seen.versions) or str(seen.answer)
    many = f" with {len(seen.serious)} differences" if seen.serious else ""
    return f"schema {names.col!r} is seen as {told}{many}, not soundly as {version}"


def _report(connection: extensions.connection, names: Names, version: str | None) -> Report:
    """Return how the database differs from the version it would be adopted as."""
    if version is not None and version not in releases.VERSIONS:
        raise UnknownVersion(
            f"there is no version {version!r} of the database",
            hint=f"Known versions: {', '.join(releases.VERSIONS)}.",
        )
    # Alembic's own version does not count here: it is what is about to be written.
    detection = verifying.look(connection, names)
    seen = version or detection.version
    if seen is None:
        raise AdoptionRefused(
            f"schema {names.col!r} is {detection.answer}: no single version"
            + (f", {' or '.join(detection.versions)}" if detection.versions else ""),
            hint="Run `collec-migrations detect` to see why; name the version to decide it.",
        )
    return verifying.verify(connection, names, version=seen)


def _refuse_contradiction(report: Report, version: str | None) -> None:
    if version is None or version in report.detection.versions:
        return
    seen = " or ".join(report.detection.versions) or report.detection.answer
    raise AdoptionRefused(
        f"schema {report.names.col!r} is not {version} but {seen}",
        hint=f"Adopt it as {seen}; or, if you are sure, add --force: the history will say so.",
    )


def _refuse_breaking(report: Report) -> None:
    # A wrong version of Alembic is put right by adopting.
    breaking = [one for one in report.breaking if one.name != state.VERSION_TABLE]
    if breaking:
        more = f" (and {len(breaking) - 1} more)" if len(breaking) > 1 else ""
        raise AdoptionRefused(
            f"schema {report.names.col!r} differs from {report.version} in what breaks the "
            f"application: {breaking[0].sentence}{more}",
            hint="Run `collec-migrations verify` to see all, `collec-migrations verify --sql` for "
            "the statements that mend; or adopt with --repair.",
        )


def _written(
    connection: extensions.connection,
    report: Report,
    *,
    forced: str = "",
    planned: mending.Mending | None = None,
) -> Adoption:
    names, version = report.names, report.version
    mended = planned.mended if planned else ()
    already = report.detection.records.alembic == (version,)
    left = tuple(one for one in report.differences if one.name != state.VERSION_TABLE)
    if not already or mended or forced:
        note = "; ".join(filter(None, [forced, f"mended: {len(mended)}" if mended else ""]))
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            _write_version(cursor, names.col, version)
            entry = history.Entry(version=version, kind="adopted", note=note)
            history.record(cursor, names.col, entry)
            _record_rights(cursor, names.gacl, version)
            _give(cursor, names, report.owners.majority)
    return Adoption(
        names=names, version=version, already=already, forced=forced, mended=mended, left=left
    )


def _write_version(cursor: extensions.cursor, schema: str, version: str) -> None:
    """Write Alembic's version, in its table as Alembic itself creates it."""
    table = sql.Identifier(schema, state.VERSION_TABLE)
    if not _is_versioned(cursor, schema):
        cursor.execute(
            sql.SQL(
                "create table {} (version_num varchar(32) not null,"
                " constraint alembic_version_pkc primary key (version_num))"
            ).format(table)
        )
    cursor.execute(sql.SQL("delete from {}").format(table))
    cursor.execute(sql.SQL("insert into {} values ({})").format(table, sql.Literal(version)))


def _is_versioned(cursor: extensions.cursor, schema: str) -> bool:
    """Say whether a schema has Alembic's table."""
    cursor.execute(
        "select 1 from pg_catalog.pg_class c"
        " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = %s and c.relname = %s",
        (schema, state.VERSION_TABLE),
    )
    return cursor.fetchone() is not None


def _record_rights(cursor: extensions.cursor, schema: str, version: str) -> None:
    """Write the version into the history of the rights schema, unless a data schema beside this
    one already brought it to a later one."""
    past = history.read(cursor, schema)
    known = past[-1].version if past else None
    if known in releases.VERSIONS and releases.position(str(known)) >= releases.position(version):
        return
    history.record(cursor, schema, history.Entry(version=version, kind="adopted"))


def _give(cursor: extensions.cursor, names: Names, owner: str) -> None:
    """Give what was created to the owner of the application's tables, who upgrades later on."""
    cursor.execute("select current_user")
    if not owner or cursor.fetchone() == (owner,):
        return
    for schema, table in (
        (names.col, state.VERSION_TABLE),
        (names.col, history.TABLE),
        (names.gacl, history.TABLE),
    ):
        cursor.execute(
            sql.SQL("alter table if exists {} owner to {}").format(
                sql.Identifier(schema, table), sql.Identifier(owner)
            )
        )
