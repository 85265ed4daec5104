"""Read a pg_hba.conf with all that it includes, in the order in which the server does."""

from collections.abc import Iterator
from pathlib import Path

from collec_migrations.errors import HbaUnreadable
from collec_migrations.postgres import hba_tokens
from collec_migrations.postgres.hba_rules import KINDS, REGEX_SINCE, Rule
from collec_migrations.postgres.hba_tokens import Field, Line

INCLUDES_SINCE = 160000
DEEPEST = 10
"""Files within files that the server follows (CONF_FILE_MAX_DEPTH)."""


def decoded(content: bytes) -> str:
    """Return the text of a file; what is not UTF-8, as in old comments, survives `encoded`."""
    return content.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    """Return the bytes of a text from `decoded`."""
    return text.encode("utf-8", "surrogateescape")


def read(path: Path, *, version: int) -> tuple[Rule, ...]:
    """Return all rules of a file, in order; `version` is `server_version_num`.

    Raises HbaUnreadable.
    """
    return tuple(_rules(path, version, depth=0))


def parse(text: str, path: Path, *, version: int) -> tuple[Rule, ...]:
    """Return all rules of a text that stands, or is to stand, in the file `path`."""
    return tuple(_rules_of(text, path, version, depth=0))


def _rules(path: Path, version: int, depth: int) -> Iterator[Rule]:
    if depth > DEEPEST:
        raise HbaUnreadable(f"{path}: files are included more than {DEEPEST} deep")
    try:
        text = decoded(path.read_bytes())
    except OSError as error:
        raise HbaUnreadable(f"cannot read {path}: {(error.strerror or '').lower()}") from error
    yield from _rules_of(text, path, version, depth)


def _rules_of(text: str, path: Path, version: int, depth: int) -> Iterator[Rule]:
    for line in hba_tokens.lines(text, version=version):
        included = _included(line, path) if version >= INCLUDES_SINCE else None
        if included is None:
            yield _rule(line, path, version, depth)
        for file in included or ():
            yield from _rules(file, version, depth + 1)


def _included(line: Line, path: Path) -> tuple[Path, ...] | None:
    """Return the files that a line includes; None for a line that is a rule."""
    if len(line.fields) != 2 or line.fields[0][0].text not in (
        "include", "include_if_exists", "include_dir",
    ):  # fmt: skip
        return None
    how, target = line.fields[0][0].text, path.parent / line.fields[1][0].text
    if how == "include_dir":
        names = sorted(file for file in target.glob("*.conf") if not file.name.startswith("."))
        return tuple(file for file in names if file.is_file())
    return () if how == "include_if_exists" and not target.exists() else (target,)


def _rule(line: Line, path: Path, version: int, depth: int) -> Rule:
    kind = line.fields[0][0].text
    rest = list(line.fields[1:])
    needed = 3 if kind == "local" else 4
    if kind not in KINDS or len(rest) < needed:
        raise HbaUnreadable(
            f"{path}:{line.number} is not a rule: {line.text}",
            hint="Mend the line; the server would not start again with it.",
        )
    databases, users = (_expanded(field, path, version, depth) for field in rest[:2])
    address = None if kind == "local" else rest[2][0]
    has_mask = address is not None and _takes_mask(address.text) and len(rest) > needed
    return Rule(
        file=str(path),
        number=line.number,
        text=line.text,
        kind=kind,
        databases=databases,
        users=users,
        address=address,
        mask=rest[3][0].text if has_mask else "",
        method=rest[needed if has_mask else needed - 1][0].text,
        regexes=version >= REGEX_SINCE,
    )


def _takes_mask(address: str) -> bool:
    """Tell whether an address needs a mask in the next field: it is one, and has no `/`."""
    return "/" not in address and (":" in address or address.replace(".", "").isdigit())


def _expanded(field: Field, path: Path, version: int, depth: int) -> Field:
    """Return the tokens of a field, with the lists of files that it names by `@file`."""
    found: list[hba_tokens.Token] = []
    for token in field:
        if token.quoted or not token.text.startswith("@") or len(token.text) == 1:
            found.append(token)
            continue
        file = path.parent / token.text[1:]
        if depth > DEEPEST:
            raise HbaUnreadable(f"{file}: files are included more than {DEEPEST} deep")
        try:
            text = decoded(file.read_bytes())
        except OSError as error:
            raise HbaUnreadable(f"cannot read {file}: {(error.strerror or '').lower()}") from error
        for line in hba_tokens.lines(text, version=version):
            for inner in line.fields:
                found += _expanded(inner, file, version, depth + 1)
    return tuple(found)
