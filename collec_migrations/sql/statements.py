"""A script's statements, each with its place in the file, in time linear in the text."""

import re
from dataclasses import dataclass

from pglast import parser
from pglast.parser import ParseError, Token

from collec_migrations.errors import ScriptUnreadable

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_SPACE = " \t\n\r\f\v"
COMMENTS = frozenset({"SQL_COMMENT", "C_COMMENT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, from its first token to its last: no comment before it, no semicolon."""

    text: str
    line: int
    """Line of the script, from 1, where the first token is."""
    offset: int
    """Characters of the script before the first token."""

    @property
    def end(self) -> int:
        """Offset in the script just behind the last token."""
        return self.offset + len(self.text)


def line_at(sql: str, offset: int) -> int:
    """Return the line, from 1, of a character offset, from 0."""
    return sql.count("\n", 0, offset) + 1


def ascii_image(sql: str) -> str:
    """Return a text of the same length in which `_` stands for every character beyond ASCII.

    PostgreSQL reads such a character as it reads `_`: as a part of a name. pglast counts bytes and
    converts each offset by a walk through the text, which takes quadratic time unless it is ASCII.
    """
    return sql if sql.isascii() else _BEYOND_ASCII.sub("_", sql)


def tokens(sql: str) -> list[Token]:
    """Return the tokens of a text without its comments, with offsets in characters.

    Raise pglast's `ParseError` where there are none. A token's `end` is its last character.
    """
    image = ascii_image(sql)
    return [token for token in parser.scan(image) if token.name not in COMMENTS] if image else []


def split(sql: str) -> tuple[Statement, ...]:
    """Return the statements of a script; raise `ScriptUnreadable` where it does not parse."""
    image = ascii_image(sql)
    try:
        slices = parser.split(image, only_slices=True)
    except ParseError as error:
        raise unreadable(sql, error) from error
    found = []
    line, counted = 1, 0
    for piece in slices:
        start, end = _extent(image, piece)
        line += sql.count("\n", counted, start)
        counted = start
        found.append(Statement(text=sql[start:end], line=line, offset=start))
    return tuple(found)


def _extent(image: str, piece: slice) -> tuple[int, int]:
    """Return where the first token of a piece begins and the last one ends."""
    text = image[piece]
    if "--" in text or "/*" in text:
        found = tokens(text)
        return piece.start + found[0].start, piece.start + found[-1].end + 1
    start = piece.start + len(text) - len(text.lstrip(_SPACE))
    return start, start + len(text.strip(_SPACE))


def unreadable(sql: str, error: ParseError) -> ScriptUnreadable:
    """Return the error that tells where the parser gave up, in the script's own words."""
    index = error.args[1] if len(error.args) > 1 else None
    message = str(error.args[0])
    if not sql.isascii():
        try:
            parser.split(sql, only_slices=True)
        except ParseError as exact:
            message = str(exact.args[0])
    place = "" if index is None else f"line {line_at(sql, int(index))}: "
    return ScriptUnreadable(f"{place}{message}")
