"""String constants: the value, and where each of its characters stands in the text."""

from collections.abc import Iterable
from dataclasses import dataclass

from collec_migrations.scripts.tokens import Token, selected

_NAMED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_CODES = {"x": (2, 16), "u": (4, 16), "U": (8, 16)}
_CHANGED = "_bound"
"""In the tag of a dollar quote that took the place of another."""
_SPACE = " \t\n\r\f\v"


@dataclass(frozen=True, slots=True)
class Edit:
    """A part of a text to be replaced."""

    start: int
    end: int
    text: str


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with all edits made; they must not overlap."""
    parts, done = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        if edit.start < done:
            raise ValueError("edits overlap")
        parts += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join([*parts, text[done:]])


@dataclass(frozen=True, slots=True)
class Literal:
    """A string constant that was read."""

    value: str
    spans: tuple[tuple[int, int], ...]
    """For each character of the value, where it stands in the token."""
    style: str
    """`'`, `E`, `U` or the delimiter of a dollar quote."""

    def lift(self, edit: Edit) -> Edit:
        """Return an edit of the value as an edit of the token."""
        start, end = self.spans[edit.start][0], self.spans[edit.end - 1][1]
        return Edit(start, end, self.escape(edit.text))

    def escape(self, text: str) -> str:
        """Return text as it is written between these quotes."""
        if self.style.startswith("$"):
            return text
        doubled = text.replace("'", "''")
        return doubled if self.style == "'" else doubled.replace("\\", "\\\\")


def value(token: Token) -> str:
    """Return the value of a string constant."""
    text = token.text
    if text.startswith("$"):
        return text[(size := text.index("$", 1) + 1) : -size]
    if text.startswith("'") and "'" not in text[1:-1].replace("''", ""):
        return text[1:-1].replace("''", "'")
    return str(selected(text).val.sval)


def read(token: Token) -> Literal | None:
    """Return a string constant with the place of every character; None where that fails."""
    text, expected = token.text, value(token)
    if text.startswith("$"):
        size = text.index("$", 1) + 1
        spans = tuple((at, at + 1) for at in range(size, len(text) - size))
        return Literal(expected, spans, text[:size])
    style = "'" if text.startswith("'") else text[0].upper()
    units = _units(text, text.index("'") + 1, style)
    spans = tuple((start, end) for start, end, part in units for _ in part)
    found = "".join(part for _, _, part in units)
    return Literal(expected, spans, style) if found == expected else None


def _units(text: str, at: int, style: str) -> list[tuple[int, int, str]]:
    """Return what each piece of a quoted constant stands for; empty for unknown escapes."""
    units = []
    while at < len(text) - 1:
        if text[at] == "'":
            end, part = _quote(text, at)
        elif text[at] == "\\" and style != "'":
            end, part = _escape(text, at, style)
        else:
            end, part = at + 1, text[at]
        units.append((at, end, part))
        at = end
    return units


def _quote(text: str, at: int) -> tuple[int, str]:
    """Return the end of a doubled quote, or of a break between two parts of a constant."""
    if text[at + 1] == "'":
        return at + 2, "'"
    end = at + 1
    while text[end] in _SPACE:
        end += 1
    return end + 1, ""


def _escape(text: str, at: int, style: str) -> tuple[int, str]:
    """Return the end and the meaning of an escape that begins with a backslash."""
    letter = text[at + 1]
    if style == "U":
        if letter == "\\":
            return at + 2, "\\"
        start, size, base = (at + 2, 6, 16) if letter == "+" else (at + 1, 4, 16)
    elif letter in _CODES:
        start, (size, base) = at + 2, _CODES[letter]
    elif letter in "01234567":
        start, size, base = at + 1, 3, 8
    else:
        return at + 2, _NAMED.get(letter, letter)
    end = start
    while end < start + size and text[end] in "0123456789abcdefABCDEF"[: 8 if base == 8 else 22]:
        end += 1
    code = int(text[start:end], base) if end > start else 0
    return end, chr(code) if 0 < code < 0x110000 else ""


def edited(token: Token, edits: list[Edit]) -> list[Edit]:
    """Return edits of a constant's value as edits of the text that the token stands in."""
    literal = read(token)
    if literal is None:
        new = apply(value(token), edits).replace("\\", "\\\\").replace("'", "''")
        return [Edit(token.start, token.end, f"E'{new}'")]
    lifted = [literal.lift(edit) for edit in edits]
    moved = [Edit(token.start + e.start, token.start + e.end, e.text) for e in lifted]
    if not literal.style.startswith("$"):
        return moved
    size = len(literal.style)
    delimiter = _delimiter(literal.style, apply(literal.value, edits))
    if delimiter == literal.style:
        return moved
    opening = Edit(token.start, token.start + size, delimiter)
    return [opening, *moved, Edit(token.end - size, token.end, delimiter)]


def _delimiter(delimiter: str, content: str) -> str:
    """Return a dollar quote that content can stand between: the given one if possible.

    Another one tells which it stands for, so that it goes back when it can.
    """
    first = f"{delimiter[:-1].partition(_CHANGED)[0]}$"
    found, number = first, 0
    while (content + found).index(found) != len(content):
        number += 1
        found = f"{first[:-1]}{_CHANGED}{number}$"
    return found
