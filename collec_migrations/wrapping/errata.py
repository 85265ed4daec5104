"""Known faults of the application's own scripts, as data, and where a script has them. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from pglast import fingerprint
from pglast.parser import ParseError

from collec_migrations.errors import ScriptUnreadable
from collec_migrations.wrapping.script import Item

ACTIONS = ("skip", "skip_if", "replace", "before", "after")
INSTEAD = ("skip", "skip_if", "replace")
"""Actions after which the statement itself may not be run."""
CHECKS = ("abort", "warn")
DIGITS = 16
FILE = "errata.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erratum:
    """One known fault and what to do about it, written with the default names."""

    id: str
    step: str
    """The two versions, as `1.0.8-1.1`."""
    line: int
    """In the newest release of the script; an older variant may have it elsewhere."""
    fingerprint: str
    """pglast's, of the statement: blind to constants and to the owner's name."""
    hash: str
    """The first 16 digits of SHA-256 of the statement's text; empty: not known."""
    action: str
    """One of `ACTIONS`, or of `CHECKS` for what is only looked at before the step."""
    sql: tuple[str, ...]
    """What is done; for a check one query, each row of which is a finding in one column."""
    condition: str
    """A query for one boolean: skip, or act, only when it is true; empty: always."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """An erratum and the statement of a script that it is about."""

    erratum: Erratum
    index: int
    """Of the statement, among those of the script."""
    exact: bool
    """Whether the text is the known one to the letter."""


@cache
def known() -> tuple[Erratum, ...]:
    """Return the errata of this package, in their order."""
    return parse(files("collec_migrations").joinpath("errata", FILE).read_text("utf-8"))


def beside(folder: Path) -> tuple[Erratum, ...]:
    """Return the errata of this package, and those of a site's own in a folder of scripts."""
    path = folder / FILE
    if not path.is_file():
        return known()
    try:
        return (*known(), *parse(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise ScriptUnreadable(
            f"{path}: not a list of errata: {error}",
            hint="Each needs id, script, line, fingerprint, action, sql and reason.",
        ) from None


def parse(text: str) -> tuple[Erratum, ...]:
    """Return the errata that a JSON text holds; raise `ValueError` for one that cannot be."""
    return tuple(_erratum(stored) for stored in json.loads(text))


def of_step(title: str, errata: Sequence[Erratum]) -> tuple[Erratum, ...]:
    """Return the errata of one step, as `1.0.8-1.1`."""
    return tuple(erratum for erratum in errata if erratum.step == title)


def place(errata: Sequence[Erratum], items: Sequence[Item]) -> tuple[Placement, ...]:
    """Return which statement each erratum is about; one that the script does not have is left out.

    A statement has the fault when its fingerprint is the known one and, of several, its hash.
    Releases changed scripts above and below a fault, so a line decides only between statements
    of one fingerprint none of which has the known text: a group of inserts, say. Where that
    leaves a choice the erratum is not applied.
    """
    if not errata:
        return ()
    prints = [_fingerprint(item) for item in items]
    found = []
    for erratum in errata:
        same = [number for number, print_ in enumerate(prints) if print_ == erratum.fingerprint]
        exact = [number for number in same if erratum.hash == hashed(items[number])]
        index = _chosen(erratum, items, same, exact)
        if index is not None:
            found.append(Placement(erratum=erratum, index=index, exact=index in exact))
    return tuple(found)


def hashed(item: Item) -> str:
    """Return the hash by which an erratum names a statement: of the text from first to last token,
    without its semicolon."""
    return sha256(item.statement.text.encode()).hexdigest()[:DIGITS]


def _chosen(
    erratum: Erratum, items: Sequence[Item], same: Sequence[int], exact: Sequence[int]
) -> int | None:
    if len(exact) == 1:
        return exact[0]
    candidates = exact or same
    if len(candidates) == 1:
        return candidates[0]
    at_line = [index for index in candidates if items[index].statement.line == erratum.line]
    return at_line[0] if len(at_line) == 1 else None


def _fingerprint(item: Item) -> str:
    try:
        return str(fingerprint(item.statement.text))
    except ParseError:
        return ""


def _erratum(stored: Mapping[str, Any]) -> Erratum:
    erratum = Erratum(
        id=stored["id"],
        step=stored["script"],
        line=stored["line"],
        fingerprint=stored["fingerprint"],
        hash=stored.get("statement_sha256", ""),
        action=stored["action"],
        sql=tuple(stored["sql"]),
        condition=stored.get("cond", ""),
        reason=stored["reason"],
    )
    if erratum.action not in ACTIONS + CHECKS:
        raise ValueError(f"erratum {erratum.id}: unknown action {erratum.action!r}")
    return erratum
