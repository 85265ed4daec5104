"""Lines of ours between markers in somebody else's file. Pure."""

import re
from dataclasses import dataclass

from collec_migrations.errors import UsageError

KEYWORDS = ("all", "sameuser", "samerole", "samegroup", "replication")
PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines that stand together in a file, under a name of their own."""

    name: str
    """What they are for; one line."""
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines between their markers."""
        return "".join(f"{line}\n" for line in (_begin(self.name), *self.lines, _end(self.name)))

    def first_in(self, text: str) -> str:
        """Return a file's text with the block above every rule, and nowhere else.

        The first rule that matches decides: above, the block does. It stands below the comments
        at the head of the file.
        """
        rest = without(text, self.name)
        head = _head(rest)
        return rest[:head] + self.text + rest[head:]

    def last_in(self, text: str) -> str:
        """Return a file's text with the block at the end, where the last setting decides."""
        rest = without(text, self.name)
        separator = "" if not rest or rest.endswith("\n") else "\n"
        return rest + separator + self.text


def without(text: str, name: str) -> str:
    """Return a file's text without the block of a name; raise `UsageError` for half of one."""
    before, begin, rest = _split(text, _begin(name))
    if not begin:
        if _split(text, _end(name))[1]:
            raise UsageError(
                f"a marker is alone in the file: {_end(name)}",
                hint="Remove that line; everything else is left alone.",
            )
        return text
    _, end, after = _split(rest, _end(name))
    if not end:
        raise UsageError(
            f"a marker has no end in the file: {_begin(name)}",
            hint=f"Add the line {_end(name)!r} where the block ends.",
        )
    return without(before + after, name)


def inner(text: str, name: str) -> str:
    """Return what stands between the markers of a name; empty when there are none."""
    _, _, rest = _split(text, _begin(name))
    found, end, _ = _split(rest, _end(name))
    return found if end else ""


def quoted(name: str) -> str:
    """Return a name of a role or database as pg_hba.conf takes it; raise `UsageError`.

    From 16 on `/` begins a regular expression even in quotes.
    """
    if "\n" in name or name.startswith("/"):
        raise UsageError(
            f"no rule of pg_hba.conf can hold the name {name!r}",
            hint="Choose a name without a line break that does not begin with a slash.",
        )
    if PLAIN.fullmatch(name) and name not in KEYWORDS:
        return name
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _begin(name: str) -> str:
    return f"# >>> collec-migrations {name}"


def _end(name: str) -> str:
    return f"# <<< collec-migrations {name}"


def _split(text: str, marker: str) -> tuple[str, str, str]:
    """Return what is before and after a line, and the line."""
    at = 0
    for line in text.splitlines(keepends=True):
        if line.strip() == marker:
            return text[:at], line, text[at + len(line) :]
        at += len(line)
    return text, "", ""


def _head(text: str) -> int:
    """Return where the first line is that is neither a comment nor empty."""
    at = 0
    for line in text.splitlines(keepends=True):
        is_comment = line.lstrip().startswith("#") and not line.startswith(_begin(""))
        if line.strip() and not is_comment:
            break
        if line.rstrip("\r\n").endswith("\\") or not line.endswith("\n"):
            return 0  # from 14 on this comment goes on, and would take our first line with it
        at += len(line)
    return at
