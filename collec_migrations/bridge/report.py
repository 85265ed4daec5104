"""What `detect` and `verify` print: the answer, why, and the one command to type next. Pure."""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from collec_migrations import versions
from collec_migrations.bridge.decision import Answer, Detection
from collec_migrations.bridge.detection import Report
from collec_migrations.bridge.difference import ORDER, Difference, Severity
from collec_migrations.bridge.structure import AS_INSTALLED
from collec_migrations.names import Names

Json = dict[str, Any]
"""What is printed as JSON: read by programs, not by this package."""


def detected(one: Detection, *, chain: Sequence[str], options: str = "") -> str:
    """Return the lines for a person; `chain` has the versions that Alembic knows."""
    lines = [headline(one)]
    lines += [f"  {sentence}" for sentence in one.why]
    lines += [f"  {line}" for line in _lines(one.differences)]
    lines.append(f"Next: {next_step(one, chain, options)}")
    return "\n".join(lines)


def headline(one: Detection) -> str:
    """Return the answer in one line."""
    place = _place(one.names)
    known = " and ".join(one.versions)
    count = len(one.serious)
    return {
        Answer.EXACT: f"{place} is a Collec-Science database of version {known}, "
        f"{'as freshly installed' if one.shape == 'fresh' else 'as it should be'}.",
        Answer.DIFFERENCES: f"{place} is a Collec-Science database of version {known} "
        f"with {'1 difference' if count == 1 else f'{count} differences'}.",
        Answer.BETWEEN: f"{place} is between versions {known}: an upgrade stopped or partly "
        "failed.",
        Answer.AMBIGUOUS: f"{place} is ambiguous: it may be any of versions {known}.",
        Answer.LATER: f"{place} records version {known}, which is not known here.",
        Answer.OLDER: f"{place} is older than 1.0, the first version that this tool knows.",
        Answer.OTHER: f"{place} is not a Collec-Science database.",
        Answer.EMPTY: f"{place} is empty: nothing of Collec-Science is installed.",
        Answer.ONLY_GACL: f"{place}: only the rights schema is there, the data schema is not.",
    }[one.answer]


def _place(names: Names) -> str:
    return f"schema {names.col!r} (rights: {names.gacl!r})"


def _lines(differences: Sequence[Difference]) -> Iterator[str]:
    """Yield one line for each difference; those that adopting removes by itself are counted."""
    shape = 0
    for one in differences:
        if one.known == AS_INSTALLED or (one.severity is Severity.COSMETIC and not one.known):
            shape += 1
            continue
        known = f" ({one.known})" if one.known else ""
        yield f"{one.severity:9} {one.sentence}{known}"
    if shape:
        yield f"{Severity.COSMETIC:9} {shape} as installers leave them, which adopting changes"


def command(words: str, names: Names, options: str = "") -> str:
    """Return the command to type for these schemas; `options` say where the database is."""
    named, default = [], Names()
    if names.gacl != default.gacl:
        named += ["--gacl", names.gacl]
    if names.col != default.col:
        named += ["--col", names.col]
    return " ".join(filter(None, ("collec-migrations", words, shlex.join(named), options)))


def next_step(one: Detection, chain: Sequence[str], options: str = "") -> str:
    """Return the one command that leads on from an answer, and what it does."""
    words, what = _next(one, chain)
    return f"{command(words, one.names, options)}   {what}" if words else what


def _next(one: Detection, chain: Sequence[str]) -> tuple[str, str]:
    recorded = one.records.alembic == one.versions
    if one.answer in (Answer.EMPTY, Answer.ONLY_GACL):
        return "upgrade", "installs it."
    if one.answer is Answer.OTHER:
        return "", "name the schemas with --gacl and --col, or another database with --url."
    if one.answer is Answer.LATER and recorded:
        return "", "nothing; a newer release of this tool may know this version."
    if one.answer is Answer.LATER:
        return f"adopt {one.versions[0]} --yes", "writes it for Alembic, unchecked."
    if one.answer is Answer.OLDER:
        return "adopt 1.0 --plan", "shows what it lacks of 1.0."
    if one.version is None:
        return "adopt --plan", "shows which version it takes and what would be repaired."
    if one.breaking or not recorded:
        return "adopt --plan", "shows what would be repaired."
    return after(one.version, chain, one.expected)


def after(version: str, chain: Sequence[str], expected: str = "") -> tuple[str, str]:
    """Return the next command for a sound database, and what it does: empty, nothing is to do."""
    if expected and expected != version:
        if expected not in chain:
            return "", (f"get a release of this tool that knows {expected}, which the application"
                        " asks for.")  # fmt: skip
        if version in versions.VERSIONS and versions.order(expected) < versions.order(version):
            return f"downgrade {expected} --plan", (
                f"shows the way back to {expected}, which the application asks for; or update the"
                " application."
            )
        return f"upgrade {expected}", "brings it to what the application asks for."
    if version in chain and version != chain[-1] and not expected:
        return "upgrade", f"brings it to {chain[-1]}."
    return "", "nothing is to do."


def verified(report: Report, *, chain: Sequence[str], options: str = "") -> str:
    """Return the lines for a person."""
    lines = [verdict(report), *(f"  {line}" for line in _lines(report.differences))]
    if report.detection.version not in (report.version, None):
        lines.append(f"  The structure fits version {report.detection.version} better.")
    words, what = _after_verify(report, chain)
    lines.append(f"Next: {command(words, report.names, options)}   {what}" if words else
                 f"Next: {what}")  # fmt: skip
    return "\n".join(lines)


def _after_verify(report: Report, chain: Sequence[str]) -> tuple[str, str]:
    seen = report.detection
    if not seen.records.alembic:
        version = report.version if seen.version != report.version else ""
        return " ".join(filter(None, ("adopt", version, "--plan"))), "shows what adopting changes."
    if report.is_sound:
        return after(report.version, chain, seen.expected)
    if seen.version not in (report.version, None):
        return "detect", "says why."
    return f"adopt {report.version} --plan", "shows what repairs it."


def verdict(report: Report) -> str:
    """Return the result in one line."""
    counts = Counter(one.severity for one in report.differences)
    found = ", ".join(f"{counts[one]} {one}" for one in ORDER if counts[one])
    state = "is as version" if report.is_sound else "differs from version"
    should = " should be" if report.is_sound else ""
    return f"{_place(report.names)} {state} {report.version}{should}" + (
        f": {found}." if found else "."
    )


def detection_json(one: Detection, *, chain: Sequence[str], options: str = "") -> Json:
    """Return every fact of the answer."""
    rows = one.records.rows.get(("col", "dbversion"), ())
    return {
        "gacl": one.names.gacl,
        "col": one.names.col,
        "answer": one.answer,
        "versions": list(one.versions),
        "shape": one.shape,
        "sound": one.is_sound,
        "recorded": {
            "dbversion": [
                {key.removeprefix("dbversion_"): value for key, value in row.items()}
                for row in rows
            ],
            "alembic": list(one.records.alembic),
            "unreadable": list(one.records.unreadable),
        },
        "observed": one.version,
        "expected": one.expected or None,
        "why": list(one.why),
        "differences": [_difference(each) for each in one.differences],
        "done": [_difference(each) for each in one.done],
        "next": next_step(one, chain, options),
    }


def report_json(report: Report) -> Json:
    """Return every fact of the report."""
    return {
        "gacl": report.names.gacl,
        "col": report.names.col,
        "version": report.version,
        "shape": report.shape,
        "sound": report.is_sound,
        "observed": list(report.detection.versions),
        "role": report.owners.application,
        "differences": [_difference(one) for one in report.differences],
    }


def _difference(one: Difference) -> Json:
    fields = ("severity", "state", "role", "kind", "name", "sentence", "expected", "observed",
              "known")  # fmt: skip
    return {**{name: getattr(one, name) for name in fields}, "along": list(one.along)}
