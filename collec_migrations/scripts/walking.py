"""Goes through the tokens of a body in PL/pgSQL and keeps the pieces of SQL."""

from dataclasses import dataclass, field
from enum import Enum, auto

from collec_migrations.scripts.tokens import Token


class Kind(Enum):
    """What a fragment is."""

    STATEMENT = auto()
    EXPRESSION = auto()
    DYNAMIC = auto()
    """An expression whose value is run as SQL."""
    TYPE = auto()
    COPIED_TYPE = auto()
    COLLATION = auto()


FRAMES = {
    Kind.STATEMENT: ("", ""),
    Kind.EXPRESSION: ("select ", ""),
    Kind.DYNAMIC: ("select ", ""),
    Kind.TYPE: ("select null::", ""),
    Kind.COPIED_TYPE: ("create function f(a ", ") returns int language sql as ''"),
    Kind.COLLATION: ("select '' collate ", ""),
}
"""What makes a statement of a fragment: the text before it and behind it."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of SQL in a body."""

    start: int
    text: str
    kind: Kind


OPENING, CLOSING = frozenset("(["), frozenset(")]")


@dataclass
class Walker:
    """Goes through the tokens of a body once."""

    body: str
    tokens: tuple[Token, ...]
    at: int = 0
    fragments: list[Fragment] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    targets: list[tuple[int, int]] = field(default_factory=list)
    """First token, and the one behind the last, of what can name nothing but variables."""

    def word(self, ahead: int = 0) -> str:
        """Return the unquoted word, or the sign, some tokens ahead; empty behind the end."""
        if self.at + ahead >= len(self.tokens):
            return ""
        return self.tokens[self.at + ahead].word

    def take(self, *words: str) -> bool:
        """Go over these words if they come next."""
        if all(self.word(ahead) == word for ahead, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def until(self, *stops: str, limit: int | None = None) -> int:
        """Return the index of the next of these words outside brackets and CASE."""
        end = len(self.tokens) if limit is None else limit
        depth = 0
        for index in range(self.at, end):
            word = self.tokens[index].word
            if not depth and word in stops:
                return index
            if word in OPENING or word == "case":
                depth += 1
            elif word in CLOSING or (word == "end" and depth):
                depth -= 1
        return end

    def add(self, first: int, last: int, kind: Kind, blank: tuple[int, int] = (0, 0)) -> None:
        """Keep the tokens from first to before last as a fragment, a part of it blanked."""
        if first >= last:
            return
        start, end = self.tokens[first].start, self.tokens[last - 1].end
        text = self.body[start:end]
        if blank[1] > blank[0]:
            left = self.tokens[blank[0]].start - start
            right = self.tokens[blank[1] - 1].end - start
            text = text[:left] + " " * (right - left) + text[right:]
        self.fragments.append(Fragment(start, text, kind))

    def expression(self, *stops: str, kind: Kind = Kind.EXPRESSION) -> None:
        """Go over an expression and the word that ends it."""
        end = self.until(*stops)
        self.add(self.at, end, kind)
        self.at = end + 1

    def label(self) -> None:
        """Go over `<<name>>`."""
        self.variables.add(self.tokens[min(self.at + 1, len(self.tokens) - 1)].identifier)
        self.at += 3
