"""What is to be bound, what was decided, and what remains in doubt."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from collec_migrations.scripts import tokens
from collec_migrations.scripts.hiding import Use
from collec_migrations.scripts.literals import Edit
from collec_migrations.scripts.tokens import Token

_ESCAPES = ("u&", *(f"\\{letter}" for letter in "xu01234567"))
"""What may hide a letter of a name."""


class Choice(Enum):
    """What to do with a literal that is in doubt."""

    BIND = "bind"
    LEAVE = "leave"


Names = Mapping[str, str]
"""What each name in a script becomes."""

Decisions = Mapping[tuple[int, str], Choice]
"""What was decided: by line of the script and value of the literal."""


@dataclass(frozen=True, slots=True, order=True)
class Doubt:
    """A literal that may hold a name to be bound, or not."""

    line: int
    literal: str
    reason: str


class UnprovableError(Exception):
    """A text whose binding cannot be proved right; for use inside this package."""

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Rules:
    """Names in a script and what they become."""

    schemas: Mapping[str, str]
    roles: Mapping[str, str]
    decisions: Decisions
    keys: frozenset[str]
    """All names to be looked for."""
    parts: tuple[str, ...]
    """A part of each name that is written in the same way however it is quoted."""

    @classmethod
    def of(cls, schemas: Names, roles: Names, decisions: Decisions) -> "Rules":
        """Return the rules that bind these names: those that stay what they are fall away."""
        old = [
            {name: new for name, new in names.items() if name != new} for names in (schemas, roles)
        ]
        keys = frozenset((*old[0], *old[1]))
        parts = {max(_plain_parts(key.lower()), key=len) for key in keys}
        return cls(old[0], old[1], decisions, keys, (*parts, *_ESCAPES))

    def mentioned(self, text: str) -> bool:
        """Whether one of the names may stand in a text; escapes may hide one."""
        folded = text.lower()
        return any(part in folded for part in self.parts)

    def unused(self, text: str) -> str:
        """Return the beginning of a word that is neither in a text nor in a new name."""
        word = "mark"
        while any(word in taken for taken in (text, *self.schemas.values(), *self.roles.values())):
            word += "k"
        return word


@dataclass(frozen=True, slots=True)
class Bound:
    """What binding a text takes."""

    edits: tuple[Edit, ...] = ()
    holes: Mapping[str, Use] = field(default_factory=dict)
    """What the words that stand for something else are used for."""


class Mode(Enum):
    """What the SQL around a literal does with it."""

    PLAIN = auto()
    CODE = auto()
    """A program in PL/pgSQL, which may run the literal later."""
    RUN = auto()
    """A program runs it here."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a text stands."""

    rules: Rules
    locate: Callable[[int], int]
    """The line of the script for an offset in the text."""
    doubts: list[Doubt]
    """Filled on the way."""
    mode: Mode = Mode.PLAIN
    shadows: frozenset[str] = field(default_factory=frozenset)
    """Variables whose fields look like qualified names."""

    def decide(self, offset: int, literal: str, reason: str) -> bool:
        """Whether to bind a literal in doubt; keep the doubt when nothing was decided."""
        line = self.locate(offset)
        choice = self.rules.decisions.get((line, literal))
        if choice is None:
            self.doubts.append(Doubt(line, literal, reason))
        return choice is Choice.BIND


def _plain_parts(name: str) -> list[str]:
    """Return the parts of a name that no way of quoting changes."""
    return name.translate(dict.fromkeys(map(ord, "'\"\\%_"), "\n")).split("\n")


class Binder(Protocol):
    """Binds a text; handed down, since texts hold literals and literals hold texts."""

    def __call__(
        self,
        text: str,
        scope: Scope,
        frame: tuple[str, str] = ("", ""),
        holes: frozenset[str] = frozenset(),
    ) -> Bound: ...


def written(token: Token, name: str, before: str, after: str) -> str:
    """Return a name as it is to be written in place of a token.

    Quotes that the script gave to a plain name stay; so do those that keep words apart.
    """
    chosen = token.text.startswith('"') and not tokens.needs_quotes(token.identifier)
    if chosen or _joins(before) or _joins(after):
        return '"' + name.replace('"', '""') + '"'
    return tokens.quote(name)


def _joins(character: str) -> bool:
    """Whether a character beside a word would become part of it."""
    return character.isalnum() or character in ("_", "$") or character > "\x7f"
