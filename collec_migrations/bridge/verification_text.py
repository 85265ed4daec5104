"""Tell a person what `verify` found. Pure."""

from collections import Counter
from collections.abc import Sequence

from collec_migrations.bridge import detection_text
from collec_migrations.bridge.difference import ORDER
from collec_migrations.bridge.report import Report
from collec_migrations.postgres.quoting import identifier


def text(report: Report, options: str = "") -> str:
    """Return the lines for a person; `options` are to be typed again in the next command."""
    lines = [headline(report), *(f"  {line}" for line in detection_text.told(report.differences))]
    if report.detection.version not in (report.version, None):
        lines.append(f"  The structure fits version {report.detection.version} better.")
    if not report.is_sound:
        verb = "verify --repair --yes" if report.detection.records.alembic else "adopt"
        if not report.detection.records.alembic and report.detection.version != report.version:
            verb = f"adopt {report.version}"
        lines.append(f"Next: {detection_text.verb(verb, report.names, options)}")
    return "\n".join(lines)


def headline(report: Report) -> str:
    """Return the result in one line."""
    counts = Counter(one.severity for one in report.differences)
    told = ", ".join(f"{counts[one]} {one}" for one in ORDER if counts[one])
    place = f"schema {report.names.col!r} (rights: {report.names.gacl!r})"
    state = "is soundly" if report.is_sound else "differs from"
    return f"{place} {state} version {report.version}" + (f": {told}." if told else ".")


def script(report: Report, statements: Sequence[str]) -> str:
    """Return the statements that repair, as a script for review."""
    lines = [f"-- {line}" for line in headline(report).splitlines()]
    if statements:
        path = ", ".join(map(identifier, (report.names.gacl, report.names.col, "public")))
        lines += ["begin;", f"set local search_path to {path};"]
        lines += [*(f"{statement};" for statement in statements), "commit;"]
    return "\n".join(lines)


def as_json(report: Report) -> detection_text.Json:
    """Return every fact of the report."""
    return {
        "gacl": report.names.gacl,
        "col": report.names.col,
        "version": report.version,
        "shape": report.shape,
        "sound": report.is_sound,
        "observed": list(report.detection.versions),
        "role": report.owners.application,
        "differences": [detection_text.difference_json(one) for one in report.differences],
    }
