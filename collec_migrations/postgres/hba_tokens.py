"""Split the text of a pg_hba.conf into lines of fields of tokens, as `next_token` of hba.c does."""

from collections.abc import Iterator
from dataclasses import dataclass

CONTINUES_SINCE = 140000
"""From 14 on a backslash at the end goes on in the next line (release notes)."""
BLANKS = " \t\r"


@dataclass(frozen=True, slots=True)
class Token:
    """One word; a quoted one is never a keyword."""

    text: str
    quoted: bool = False

    def is_keyword(self, word: str) -> bool:
        """Tell whether it is this keyword and not a name in quotes."""
        return self.text == word and not self.quoted


Field = tuple[Token, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One logical line that is not a comment."""

    number: int
    """Of its first line in the file, from 1."""
    text: str
    fields: tuple[Field, ...]


def lines(text: str, *, version: int) -> Iterator[Line]:
    """Yield the lines of a file that say something; `version` is `server_version_num`."""
    physical = text.split("\n")
    at = 0
    while at < len(physical):
        first, whole = at, physical[at]
        while version >= CONTINUES_SINCE and whole.endswith("\\") and at + 1 < len(physical):
            at += 1
            whole = whole[:-1] + physical[at]
        at += 1
        found = tuple(fields(whole))
        if found:
            yield Line(number=first + 1, text=whole.strip(), fields=found)


def fields(line: str) -> Iterator[Field]:
    """Yield the fields of a line; the tokens of a field are separated by commas."""
    field: list[Token] = []
    at = 0
    while True:
        token, at, goes_on = _next(line, at)
        if token is None:
            break
        field.append(token)
        if not goes_on:
            yield tuple(field)
            field = []
    if field:
        yield tuple(field)


def _next(line: str, at: int) -> tuple[Token | None, int, bool]:
    """Return the token after a place, where it ends, and whether a comma ended it."""
    while at < len(line) and line[at] in f"{BLANKS},":
        at += 1
    text, quoted, inside, was_quote = "", False, False, False
    while at < len(line) and (inside or line[at] not in BLANKS):
        character = line[at]
        if character == "#" and not inside:
            at = len(line)
            break
        if character == "," and not inside:
            return Token(text, quoted), at + 1, True
        if character != '"' or was_quote:
            text += character
        was_quote = inside and character == '"' and not was_quote
        if character == '"':
            quoted = quoted or not text
            inside = not inside
        at += 1
    return (Token(text, quoted) if text or quoted else None), at, False
