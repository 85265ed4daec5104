"""`docs/json.md`: what `--json` writes, command by command, as commands wrote it in the tests.

`COLLEC_GOLDEN=write` adds what is new; a name that is gone has to be taken out by hand, with a line
in the changelog: programs rely on it.
"""

import os
import re
from collections.abc import Iterator
from typing import Any

from tests.docs.pages import DOCS

PAGE = DOCS / "json.md"
TYPES = {str: "text", bool: "true or false", int: "number", float: "number", type(None): "null"}
EMPTY = "list"
"""What is said of a list, or of an object of data, that the tests have only seen empty."""
DATA = {"repaired", "rows", "settings", "texts", "versions"}
"""Objects whose names are data."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LINE = re.compile(r"^- `([^`]+)`: (.+)$", re.MULTILINE)


def shape(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield each place in a value with its type; `*` stands for names that are data."""
    if value in ([], {}):
        yield f"{place}[]" if value == [] else f"{place}.*", EMPTY
    elif isinstance(value, dict):
        plain = place.rpartition(".")[2] not in DATA and all(map(_NAME.fullmatch, value))
        for name, one in value.items():
            yield from shape(one, f"{place}.{name if plain else '*'}".removeprefix("."))
    elif isinstance(value, list):
        for one in value:
            yield from shape(one, f"{place}[]")
    else:
        yield place, TYPES[type(value)]


def documented() -> dict[str, dict[str, set[str]]]:
    """Return the places that the page names, with their types, by command."""
    found: dict[str, dict[str, set[str]]] = {}
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        found[title] = {place: set(types.split(", ")) for place, types in _LINE.findall(body)}
    return found


def check(command: str, value: dict[str, Any]) -> None:
    """Assert that the page says all that a command wrote."""
    title = "errors" if "error" in value else command
    known = documented()
    told = known.setdefault(title, {})
    if os.environ.get("COLLEC_GOLDEN") == "write":
        for place, kind in shape(value):
            if not _is_told(told, place, kind):
                told.setdefault(place, set()).add(kind)
        for place in [one for one, kinds in told.items() if EMPTY in kinds]:
            if len(told[place]) > 1 or any(_below(one, place) for one in told):
                told[place] -= {EMPTY}
        _write({title: {place: kinds for place, kinds in one.items() if kinds}
                for title, one in known.items()})  # fmt: skip
    missing = {one for one in shape(value) if not _is_told(told, *one)}
    assert not missing, f"docs/json.md does not say of {title}: {sorted(missing)}"


def _is_told(told: dict[str, set[str]], place: str, kind: str) -> bool:
    if kind == EMPTY:
        return any(one == place or _below(one, place) for one in told)
    return kind in told.get(place, set())


def _below(one: str, place: str) -> bool:
    """Say whether a place is inside a list or an object of data."""
    return one.startswith((f"{place}.", f"{place}["))


def _write(known: dict[str, dict[str, set[str]]]) -> None:
    introduction = PAGE.read_text("utf-8").split("\n## ")[0].rstrip("\n")
    sections = [
        f"\n\n## {title}\n\n"
        + "\n".join(
            f"- `{place}`: {', '.join(sorted(types))}" for place, types in sorted(it.items())
        )
        for title, it in sorted(known.items())
    ]
    PAGE.write_text("".join([introduction, *sections, "\n"]), encoding="utf-8")
