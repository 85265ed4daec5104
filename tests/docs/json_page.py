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
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LINE = re.compile(r"^- `([^`]+)`: (.+)$", re.MULTILINE)


def shape(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield each place in a value with its type; `*` stands for names that are data."""
    if isinstance(value, dict):
        plain = all(_NAME.fullmatch(name) for name in value)
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
            told.setdefault(place, set()).add(kind)
        _write(known)
    missing = {one for one in shape(value) if one[1] not in told.get(one[0], set())}
    assert not missing, f"docs/json.md does not say of {title}: {sorted(missing)}"


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
