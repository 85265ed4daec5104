"""Tell a person what `verify` found. Pure."""

from collections import Counter

from collec_migrations.bridge import detection_text
from collec_migrations.bridge.difference import ORDER
from collec_migrations.bridge.repair_plan import Mending
from collec_migrations.bridge.report import Report


def text(report: Report, options: str = "") -> str:
    """Return the lines for a person; `options` are to be typed again in the next command."""
    lines = [headline(report), *(f"  {line}" for line in detection_text.told(report.differences))]
    if report.detection.version not in (report.version, None):
        lines.append(f"  The structure fits version {report.detection.version} better.")
    if report.breaking:
        verb = detection_text.command("verify", report.names)
        rest = f" {options}" if options else ""
        lines.append(f"Next: {verb} --sql{rest}   shows the statements that mend it,")
        lines.append(f"      {verb} --repair --yes{rest}   applies them.")
    return "\n".join(lines)


def headline(report: Report) -> str:
    """Return the result in one line."""
    counts = Counter(one.severity for one in report.differences)
    told = ", ".join(f"{counts[one]} {one}" for one in ORDER if counts[one])
    place = f"schema {report.names.col!r} (rights: {report.names.gacl!r})"
    state = "is soundly" if report.is_sound else "differs from"
    return f"{place} {state} version {report.version}" + (f": {told}." if told else ".")


def script(report: Report, planned: Mending) -> str:
    """Return the statements that mend, as a script for review."""
    lines = [f"-- {line}" for line in headline(report).splitlines()]
    for one, reason in planned.left:
        lines.append(f"-- left: {one.sentence}: {reason}")
    if planned.statements:
        lines += ["begin;", *(f"{statement};" for statement in planned.statements), "commit;"]
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
