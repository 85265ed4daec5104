"""Names inside the value of a string constant, bound by its tokens alone."""

from collections.abc import Mapping

from pglast.parser import ParseError

from collec_migrations.scripts import literals, tokens
from collec_migrations.scripts.literals import Edit
from collec_migrations.scripts.rules import written
from collec_migrations.scripts.tokens import Token


def whole(value: str, names: Mapping[str, str]) -> list[Edit]:
    """Return the edit of a value that is exactly a name."""
    return [Edit(0, len(value), names[value])] if value in names else []


def pattern(value: str, names: Mapping[str, str]) -> list[Edit]:
    """Return the edit of a LIKE pattern that matches exactly a name."""
    plain = value if value in names else _unescaped(value)
    if plain not in names:
        return []
    new = names[plain].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return [Edit(0, len(value), new)]


def _unescaped(value: str) -> str:
    """Return what a pattern without wildcards matches."""
    parts = value.split("\\\\")
    return "\\".join(part.replace("\\%", "%").replace("\\_", "_") for part in parts)


def qualifiers(value: str, names: Mapping[str, str]) -> list[Edit]:
    """Return the edits of the names that qualify another: `name.x`, `database.name.x`."""
    found = _scan(value)
    edits = []
    for index, token in enumerate(found[:-1]):
        two_ahead = found[index + 3].text if index + 3 < len(found) else ""
        if found[index + 1].text == "." and two_ahead != "." and _named(token, names):
            edits.append(_edit(value, token, names))
    return edits


def identifiers(value: str, names: Mapping[str, str]) -> list[Edit]:
    """Return the edits of the names in a list of identifiers."""
    found = _scan(value)
    return [_edit(value, token, names) for token in found if _named(token, names)]


def mentions(value: str, names: Mapping[str, str]) -> list[Edit]:
    """Return the edits of all words that are names, whatever stands around them."""
    edits, start = [], 0
    for at in range(len(value) + 1):
        if at < len(value) and (value[at].isalnum() or value[at] == "_"):
            continue
        if value[start:at] in names:
            edits.append(Edit(start, at, names[value[start:at]]))
        start = at + 1
    return edits


def items(value: str, names: Mapping[str, str]) -> list[Edit]:
    """Return the edits of the names in a list with commas, as in an array."""
    if any(part.strip(" {}") in names for part in value.split(",")):
        return mentions(value, names)
    return []


def listed(value: str) -> tuple[str, ...]:
    """Return the identifiers in a list of them."""
    return tuple(token.identifier for token in _scan(value) if token.is_name)


def suspects(value: str, names: Mapping[str, str]) -> list[Edit]:
    """Return the edits that binding a literal in doubt would make; none if it names nothing."""
    if found := whole(value, names) or items(value, names):
        return found
    return [*qualifiers(value, names), *_quoted(value, names)]


def _quoted(value: str, names: Mapping[str, str]) -> list[Edit]:
    """Return the edits inside the string constants of a text."""
    edits: list[Edit] = []
    for token in _scan(value):
        if token.name == "SCONST" and (found := suspects(literals.value(token), names)):
            edits += literals.edited(token, found)
    return edits


def _named(token: Token, names: Mapping[str, str]) -> bool:
    return token.is_name and token.identifier in names


def _edit(value: str, token: Token, names: Mapping[str, str]) -> Edit:
    before, after = value[: token.start][-1:], value[token.end :][:1]
    return Edit(token.start, token.end, written(token, names[token.identifier], before, after))


def _scan(value: str) -> tuple[Token, ...]:
    try:
        return tokens.scan(value)
    except ParseError:
        return ()
