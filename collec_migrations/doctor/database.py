"""What is in the database: encoding, extensions, version, drift."""

from collections.abc import Iterator

from psycopg2 import extensions as driver

from collec_migrations import bridge, versions
from collec_migrations.bridge import Answer, Detection, Report
from collec_migrations.bridge import report as texts
from collec_migrations.doctor.report import ATTENTION, BROKEN, Line, checked, unknown
from collec_migrations.errors import NotAdopted
from collec_migrations.names import Names
from collec_migrations.postgres import privileges

GROUP = "database"
NEEDED = (("pg_trgm", "1.2"), ("postgis", "2.4"))
"""Extensions with the first version of the database that uses them (the application's scripts)."""


def encoding(connection: driver.connection) -> Line:
    """Return the line about the encoding: the application writes UTF-8."""
    with connection.cursor(cursor_factory=driver.cursor) as cursor:
        cursor.execute("show server_encoding")
        row = cursor.fetchone()
    found = str(row[0]) if row else ""
    move = "collec-migrations backup run; createdb --encoding UTF8 --template template0 NEW; "
    move += "collec-migrations backup restore last --to NEW"
    wrong = (found != "UTF8", BROKEN, f"{found}, and the application writes UTF8", move)
    return checked(GROUP, "encoding", found, wrong)


def pair(connection: driver.connection, names: Names, *, expected: str, role: str,
         options: str) -> Iterator[Line]:  # fmt: skip
    """Yield the lines about one pair of schemas."""
    detection = bridge.detect(connection, names, expected=expected, role=role)
    yield version(detection, options)
    if detection.version is not None:
        with connection.cursor(cursor_factory=driver.cursor) as cursor:
            yield needed(detection.version, privileges.read_extensions(cursor))
    try:
        report = bridge.verify(connection, names, role=role)
    except NotAdopted as error:
        yield unknown(GROUP, _named("drift", names), str(error), error.hint)
        return
    yield drift(report, options)
    for one in report.differences:
        if one.state is bridge.State.PASSWORD:
            change = (True, ATTENTION, one.sentence, "change it in the application")
            yield checked(GROUP, _named("password", names), "", change)


def version(one: Detection, options: str = "") -> Line:
    """Return the line about the version: recorded, observed, expected."""
    names, seen, alembic = one.names, one.version, one.records.alembic
    shown = [f"observed {seen or ' or '.join(one.versions) or 'none'}"]
    shown += [f"Alembic says {', '.join(alembic) or 'nothing'}"]
    shown += [f"dbversion says {one.records.numbers[-1]}"] if one.records.numbers else []
    shown += [f"the application asks for {one.expected}"] if one.expected else []
    text = f"{names.col}: {'; '.join(shown)}"
    outdated = one.expected and one.expected not in (*one.records.numbers, seen)
    unrecorded = seen and versions.is_recorded(seen) and seen not in one.records.numbers
    hidden = ", ".join(one.records.unreadable)
    if hidden and seen is not None:
        why = f"{names.col}: observed {seen}; this role may not read {hidden}"
        return unknown(GROUP, _named("version", names), why, "grant pg_read_all_data to the role")
    none_there = one.answer in (Answer.EMPTY, Answer.ONLY_GACL)
    upgrade, detect, adopt, verify = (
        texts.command(verb, names, options) for verb in ("upgrade", "detect", "adopt", "verify")
    )
    return checked(
        *(GROUP, _named("version", names), text),
        (none_there, BROKEN, f"{names.col}: nothing of the application is there", upgrade),
        (seen is None, BROKEN, text, detect),
        (bool(outdated), BROKEN, text, upgrade),
        (len(alembic) > 1, BROKEN, text, detect),
        (not alembic, ATTENTION, f"{text}: not adopted", adopt),
        (alembic != (seen,), BROKEN, f"{text}: these disagree", detect),
        (bool(unrecorded), ATTENTION, f"{text}: the application does not find its row", verify),
    )


def needed(version: str, found: privileges.Extensions) -> Line:
    """Return the line about the extensions that a version needs."""
    required = [
        name
        for name, since in NEEDED
        if versions.position(version) >= versions.position(since)
    ]  # fmt: skip
    missing = [name for name in required if name not in found.installed]
    here = [name for name in missing if name in found.available]
    package = ", ".join(name for name in missing if name not in found.available)
    return checked(
        *(GROUP, "extensions", ", ".join(required) or f"version {version} needs none"),
        (bool(package), BROKEN, f"{', '.join(missing)}: not there, nor installed on the server",
         f"Install its package on the server ({package}), then: create extension ..."),
        (bool(missing), BROKEN, f"{', '.join(missing)}: not in this database",
         "; ".join(f"create extension {name}" for name in here)),
    )  # fmt: skip


def drift(report: Report, options: str = "") -> Line:
    """Return the line about differences."""
    text = texts.verdict(report).removesuffix(".")
    hidden = sum(not one.readable for one in report.owners.objects)
    text += f"; {hidden} objects that this role may not read were skipped" if hidden else ""
    verify = texts.command("verify", report.names, options)
    return checked(
        *(GROUP, _named("drift", report.names), text),
        (bool(report.breaking), BROKEN, text, f"{verify}; then adopt --plan"),
        (not report.is_sound, ATTENTION, text, verify),
    )


def _named(name: str, names: Names) -> str:
    """Return the name of a line about one pair."""
    return name if names.col == Names().col else f"{name} of {names.col}"
