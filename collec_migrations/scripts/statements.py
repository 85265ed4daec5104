"""A script's statements, each with its place in the file."""

from codecs import BOM_UTF8
from dataclasses import dataclass

from pglast import parser
from pglast.parser import ParseError

from collec_migrations.errors import ScriptUnreadable
from collec_migrations.scripts import tokens

_SPACE = " \t\n\r\f\v"


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

    def line_at(self, position: int) -> int:
        """Return the script's line for a character position, from 1, in this statement.

        That is how the server counts when the statement was sent alone.
        """
        return self.line + self.text.count("\n", 0, max(position - 1, 0))


def decode(data: bytes) -> str:
    """Return the text of a script: UTF-8 with or without a byte-order mark, else Latin-1."""
    try:
        return data.removeprefix(BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def line_at(sql: str, offset: int) -> int:
    """Return the line, from 1, of a character offset, from 0."""
    return sql.count("\n", 0, offset) + 1


def split(sql: str) -> tuple[Statement, ...]:
    """Return the statements of a script; raise `ScriptUnreadable` where it does not parse."""
    try:
        slices = parser.split(sql, only_slices=True)
    except ParseError as error:
        raise unreadable(sql, error) from error
    found = []
    line, counted = 1, 0
    for piece in slices:
        start, end = _extent(sql, piece)
        line += sql.count("\n", counted, start)
        counted = start
        found.append(Statement(text=sql[start:end], line=line, offset=start))
    return tuple(found)


def check(sql: str) -> None:
    """Raise pglast's `ParseError` unless a text parses; faster than to make a tree."""
    parser.split(sql, only_slices=True)


def _extent(sql: str, piece: slice) -> tuple[int, int]:
    """Return where the first token of a piece begins and the last one ends."""
    text = sql[piece]
    if "--" in text or "/*" in text:
        found = tokens.scan(text)
        return piece.start + found[0].start, piece.start + found[-1].end
    start = piece.start + len(text) - len(text.lstrip(_SPACE))
    return start, start + len(text.strip(_SPACE))


def unreadable(sql: str, error: ParseError) -> ScriptUnreadable:
    """Return the error that tells where the parser gave up."""
    message, index = str(error.args[0]), error.args[1] if len(error.args) > 1 else None
    if index is None:
        return ScriptUnreadable(message)
    return ScriptUnreadable(f"line {line_at(sql, int(index))}: {message}")
