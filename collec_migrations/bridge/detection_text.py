"""Tell a person what a database is: the answer, then why, then what to do next. Pure."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from collec_migrations import versions as releases
from collec_migrations.bridge.answer import Answer, Detection
from collec_migrations.bridge.difference import Difference, Severity
from collec_migrations.bridge.structure import AS_INSTALLED
from collec_migrations.names import Names

Json = dict[str, Any]
"""What is printed as JSON: read by programs, not by this package."""


def text(one: Detection, *, chain: Sequence[str], options: str = "") -> str:
    """Return the lines for a person; `chain` has the versions that Alembic knows."""
    lines = [headline(one)]
    lines += [f"  {sentence}" for sentence in one.why]
    lines += [f"  {line}" for line in told(one.differences)]
    lines += [f"Next: {line}" for line in _next(one, chain, options)]
    return "\n".join(lines)


def headline(one: Detection) -> str:
    """Return the answer in one line."""
    place = f"schema {one.names.col!r} (rights: {one.names.gacl!r})"
    versions = " and ".join(one.versions)
    count = len(one.serious)
    many = "1 difference" if count == 1 else f"{count} differences"
    return {
        Answer.EXACT: f"{place} is a Collec-Science database of version {versions}, "
        f"{'as freshly installed' if one.shape == 'fresh' else 'as it should be'}.",
        Answer.DIFFERENCES: f"{place} is a Collec-Science database of version {versions} "
        f"with {many}.",
        Answer.BETWEEN: f"{place} is between versions {versions}: an upgrade stopped or partly "
        "failed.",
        Answer.AMBIGUOUS: f"{place} is ambiguous: it may be any of versions {versions}.",
        Answer.LATER: f"{place} says to be at version {versions}, which this tool does not know.",
        Answer.OLDER: f"{place} is older than 1.0, the first version that this tool knows.",
        Answer.OTHER: f"{place} is not a Collec-Science database.",
        Answer.EMPTY: f"{place} is empty: nothing of Collec-Science is installed.",
        Answer.ONLY_GACL: f"{place}: only the rights schema is there, the data schema is not.",
    }[one.answer]


def told(differences: Sequence[Difference]) -> Iterator[str]:
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


def command(verb: str, names: Names, options: str = "") -> str:
    """Return the command to type for these schemas."""
    words = ["collec-migrations", verb]
    default = Names()
    if names.gacl != default.gacl:
        words += ["--gacl", names.gacl]
    if names.col != default.col:
        words += ["--col", names.col]
    return shlex.join(words) + (f" {options}" if options else "")


def _next(one: Detection, chain: Sequence[str], options: str) -> Iterator[str]:
    if one.answer in (Answer.EMPTY, Answer.ONLY_GACL):
        yield f"{command('upgrade', one.names, options)}   installs it."
    elif one.answer is Answer.OTHER:
        yield "name the schemas with --gacl and --col, or another database with --url."
    elif one.answer is Answer.LATER:
        yield from _after_later(one, options)
    elif one.answer is Answer.OLDER:
        yield f"{verb('adopt 1.0', one.names, options)}   makes what it lacks of 1.0."
    elif one.version is None and one.answer is Answer.AMBIGUOUS:
        yield f"{verb(f'adopt {one.versions[-1]}', one.names, options)}   decides it."
    elif one.version is None:
        yield f"{verb('adopt --plan', one.names, options)}   shows what would be repaired."
    elif one.breaking and one.records.alembic == one.versions:
        yield f"{verb('verify --repair --yes', one.names, options)}   repairs it."
    elif one.breaking:
        yield f"{verb('adopt --plan', one.names, options)}   shows what would be repaired."
    else:
        yield from _after_version(one, one.version, chain, options)


def _after_later(one: Detection, options: str) -> Iterator[str]:
    (version,) = one.versions
    if one.records.alembic == one.versions:
        yield "nothing: Alembic has it in its care; a newer release of this tool may know it."
    else:
        force = verb(f"adopt {version} --force", one.names, options)
        yield f"{force}   puts it under Alembic's care, unchecked."


def _after_version(
    one: Detection, version: str, chain: Sequence[str], options: str
) -> Iterator[str]:
    if one.records.alembic != (version,):
        yield f"{command('adopt', one.names, options)}   puts it under Alembic's care."
    elif one.expected and one.expected != version and one.expected in chain:
        yield (
            f"{verb(f'upgrade {one.expected}', one.names, options)}   brings it to what the"
            " application asks for."
        )
    elif chain and version != chain[-1] and version in chain:
        yield f"{command('upgrade', one.names, options)}   brings it to {chain[-1]}."
    if chain and releases.position(version) > releases.position(chain[-1]):
        yield (
            f"version {version} is newer than {chain[-1]}, the newest that this tool migrates; "
            "the scripts of later versions can be wrapped as revisions."
        )


def verb(words: str, names: Names, options: str) -> str:
    """Return the command of several words to type for these schemas."""
    head, _, rest = command("@", names, options).partition("@")
    return f"{head}{words}{rest}"


def as_json(one: Detection) -> Json:
    """Return every fact of the answer."""
    return {
        "gacl": one.names.gacl,
        "col": one.names.col,
        "answer": one.answer,
        "versions": list(one.versions),
        "shape": one.shape,
        "sound": one.is_sound,
        "recorded": {
            "dbversion": [
                {"id": row.id, "number": row.number, "date": row.date}
                for row in one.records.dbversion
            ],
            "alembic": list(one.records.alembic),
            "unreadable": list(one.records.unreadable),
        },
        "observed": one.version,
        "expected": one.expected or None,
        "why": list(one.why),
        "differences": [difference_json(each) for each in one.differences],
        "done": [difference_json(each) for each in one.done],
    }


def difference_json(one: Difference) -> Json:
    """Return every fact of a difference."""
    return {
        "severity": one.severity,
        "state": one.state,
        "role": one.role,
        "kind": one.kind,
        "name": one.name,
        "sentence": one.sentence,
        "expected": one.expected,
        "observed": one.observed,
        "along": list(one.along),
        "known": one.known,
    }
