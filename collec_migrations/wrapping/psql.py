"""What is no SQL in a script written for psql: its meta-commands, found by psql's own rules."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""--[^\n]*
      | (?P<comment>/\*)
      | \b[eE]'(?:[^'\\]|\\.|'')*'
      | '(?:[^']|'')*'
      | "(?:[^"]|"")*"
      | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
      | (?P<command>\\[^\n]*)
    """,
    re.VERBOSE | re.DOTALL,
)
_COPY = re.compile(r"^[ \t]*copy\b[^;]*?\bfrom\s+stdin\b", re.IGNORECASE | re.MULTILINE)
_COMMENT = re.compile(r"/\*|\*/")
_WORDS = re.compile(r"""'((?:[^']|'')*)'|"((?:[^"]|"")*)"|(\S+)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A meta-command of psql."""

    line: int
    start: int
    end: int
    """Its place in the text."""
    name: str
    """Without the backslash."""
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((f"\\{self.name}", *self.arguments))


def commands(text: str) -> tuple[Command, ...]:
    """Return the meta-commands of a script, in order."""
    if "\\" not in text:
        return ()
    found: list[Command] = []
    position = 0
    while True:
        token = _TOKEN.search(text, position)
        if token is None:
            return tuple(found)
        position = token.end()
        if token["comment"]:
            position = _after_comment(text, position)
        elif token["command"]:
            found.append(_command(text, token.start("command"), token.end("command")))


def data_line(text: str) -> int | None:
    """Return the line of the first `copy ... from stdin`, whose data no parser can read."""
    found = _COPY.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else None


def without(text: str, found: tuple[Command, ...]) -> str:
    """Return a script with its meta-commands blanked, every line where it was."""
    for command in found:
        length = command.end - command.start
        text = text[: command.start] + " " * length + text[command.end :]
    return text


def _after_comment(text: str, position: int) -> int:
    """Return where a comment ends, which may hold others (PostgreSQL manual, 4.1.5)."""
    depth = 1
    for mark in _COMMENT.finditer(text, position):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(text)


def _command(text: str, start: int, end: int) -> Command:
    written = text[start + 1 : end].rstrip("\r")
    name = re.match(r"[a-zA-Z_]+|\S?", written)
    assert name is not None
    return Command(
        line=text.count("\n", 0, start) + 1,
        start=start,
        end=end,
        name=name[0],
        arguments=tuple(
            (one[1] or one[2] or one[3] or "").replace("''", "'")
            for one in _WORDS.finditer(written[name.end() :])
        ),
    )
