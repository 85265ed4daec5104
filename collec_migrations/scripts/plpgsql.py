"""PL/pgSQL: the pieces of SQL in a body, found on its tokens.

PostgreSQL's parser sees a body as one string, and pglast's `parse_plpgsql` refuses declarations
of a qualified type, so the statements of the language are told apart here. Whatever is taken for
a piece of SQL is then parsed as such, which proves the cut right.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from collec_migrations.scripts.tokens import Token, scan


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


@dataclass(frozen=True, slots=True)
class Reading:
    """What a body consists of."""

    fragments: tuple[Fragment, ...]
    variables: frozenset[str]
    """Names declared in the body."""
    targets: tuple[tuple[int, int], ...]
    """Where values are given to variables: first character, and the one behind the last."""


_OPENING, _CLOSING = frozenset("(["), frozenset(")]")
_SINGLE = frozenset({"begin", "else", "loop", "exception", "null", "declare"})
_QUERY = frozenset({"select", "with", "insert", "update", "delete", "merge", "values", "table"})
_QUERY_OPENERS = _QUERY | {"(", "explain", "show", "execute"}
_LEVELS = frozenset({"debug", "log", "info", "notice", "warning", "exception"})


def read(body: str) -> Reading:
    """Return the fragments of a body; raise pglast's `ParseError` where it has no tokens."""
    reader = _Reader(body, scan(body))
    reader.block()
    targets = tuple(
        (reader.tokens[first].start, reader.tokens[last - 1].end)
        for first, last in reader.targets
        if first < last
    )
    return Reading(tuple(reader.fragments), frozenset(reader.variables), targets)


@dataclass
class _Reader:
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
            if word in _OPENING or word == "case":
                depth += 1
            elif word in _CLOSING or (word == "end" and depth):
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

    def block(self) -> None:
        """Go over the whole body."""
        while self.at < len(self.tokens):
            before = self.at
            if self.word() == "declare":
                self.at += 1
                self.declarations()
            else:
                self.statement()
            self.at = max(self.at, before + 1)

    def declarations(self) -> None:
        while self.word() not in ("begin", ""):
            if self.word() in ("declare", ";"):
                self.at += 1
            elif self.word() == "<<":
                self.label()
            else:
                self.declaration()

    def label(self) -> None:
        self.variables.add(self.tokens[min(self.at + 1, len(self.tokens) - 1)].identifier)
        self.at += 3

    def declaration(self) -> None:
        """Go over one declared name."""
        self.variables.add(self.tokens[self.at].identifier)
        self.at += 1
        if self.word() == "alias":
            self.at = self.until(";") + 1
            return
        self.take("no")
        self.take("scroll")
        if self.take("cursor"):
            self.cursor()
            return
        self.take("constant")
        self.type_until("collate", "not", "default", ":=", "=", ";")
        if self.take("collate"):
            end = self.until("not", "default", ":=", "=", ";")
            self.add(self.at, end, Kind.COLLATION)
            self.at = end
        self.take("not", "null")
        if self.word() in ("default", ":=", "="):
            self.at += 1
            self.expression(";")
        else:
            self.at += 1

    def type_until(self, *stops: str) -> None:
        """Go over the name of a type."""
        end = self.until(*stops)
        copied = any(
            token.word == "%" and self.tokens[index + self.at + 1].word == "type"
            for index, token in enumerate(self.tokens[self.at : end - 1])
        )
        self.add(self.at, end, Kind.COPIED_TYPE if copied else Kind.TYPE)
        self.at = end

    def cursor(self) -> None:
        """Go over the arguments and the query of a declared cursor."""
        if self.take("("):
            while self.word() not in ("", "for", "is"):
                self.variables.add(self.tokens[self.at].identifier)
                self.at += 1
                self.type_until(",", ")")
                self.at += 1
        self.at += 1
        self.expression(";", kind=Kind.STATEMENT)

    def statement(self) -> None:
        """Go over one statement, or over the word that begins a group of them."""
        word = self.word()
        handler = _HANDLERS.get(word)
        if handler is not None and not self.is_assignment():
            self.at += 1
            handler(self)
        elif word == "<<":
            self.label()
        elif word == "#":
            self.at += 3
        elif word == ";" or (word in _SINGLE and not self.is_assignment()):
            self.at += 1
        elif self.is_assignment():
            self.assignment()
        else:
            self.sql()

    def is_assignment(self) -> bool:
        """Whether a variable, its field or its element comes next, and then `:=` or `=`."""
        index = self.at + 1
        while index < len(self.tokens):
            word = self.tokens[index].word
            if word == ".":
                index += 2
            elif word == "[":
                mark, self.at = self.at, index + 1
                index = self.until("]") + 1
                self.at = mark
            else:
                return word in (":=", "=")
        return False

    def assignment(self) -> None:
        end = self.until(":=", "=")
        self.targets.append((self.at, end))
        for index in range(self.at, end):
            if self.tokens[index].word == "[":
                mark, self.at = self.at, index + 1
                self.add(self.at, self.until("]", ":"), Kind.EXPRESSION)
                self.at = mark
        self.at = end + 1
        self.expression(";")

    def sql(self) -> None:
        """Go over a statement of SQL, the target of its INTO blanked."""
        end = self.until(";")
        blank = self.target(self.at, end)
        self.add(self.at, end, Kind.STATEMENT, blank)
        self.at = end + 1

    def target(self, first: int, end: int) -> tuple[int, int]:
        """Return the tokens of `INTO [STRICT] a, b.c` that gives the result to variables."""
        if self.tokens[first].word == "import":
            return 0, 0
        depth = 0
        for index in range(first + 1, end):
            word = self.tokens[index].word
            depth += (word in _OPENING) - (word in _CLOSING)
            before = self.tokens[index - 1].word
            if word == "into" and not depth and before not in ("insert", "merge"):
                stop = self.target_end(index + 1, end)
                self.targets.append((index, stop))
                return index, stop
        return 0, 0

    def target_end(self, index: int, end: int) -> int:
        index += self.tokens[index].word == "strict"
        while index < end:
            index += 1
            if index >= end or self.tokens[index].word not in (".", ","):
                return index
            index += 1
        return end

    def until_then(self) -> None:
        self.expression("then")

    def until_loop(self) -> None:
        self.expression("loop")

    def case(self) -> None:
        end = self.until("when")
        self.add(self.at, end, Kind.EXPRESSION)
        self.at = end

    def end(self) -> None:
        """Go over END, whatever it ends; CASE here opens nothing."""
        while self.word() not in (";", ""):
            self.at += 1
        self.at += 1

    def variables_only(self) -> None:
        """Go over a statement that names nothing but variables."""
        end = self.until(";")
        self.targets.append((self.at, end))
        self.at = end + 1

    def loop_over(self) -> None:
        """Go over FOR ... IN ... LOOP."""
        target = self.until("in")
        self.targets.append((self.at, target))
        self.at = target + 1
        self.take("reverse")
        end = self.until("loop")
        dots = self.until("..", limit=end)
        if self.take("execute"):
            self.dynamic(end)
        elif dots < end:
            self.add(self.at, dots, Kind.EXPRESSION)
            self.at = dots + 1
            step = self.until("by", limit=end)
            self.add(self.at, step, Kind.EXPRESSION)
            self.add(step + 1, end, Kind.EXPRESSION)
        else:
            query = self.word() in _QUERY_OPENERS
            self.add(self.at, end, Kind.STATEMENT if query else Kind.EXPRESSION)
        self.at = end + 1

    def loop_array(self) -> None:
        self.at = self.until("array") + 1
        self.expression("loop")

    def leave(self) -> None:
        end = self.until(";")
        self.at = self.until("when", limit=end) + 1
        self.add(self.at, end, Kind.EXPRESSION)
        self.at = end + 1

    def give(self) -> None:
        """Go over RETURN in all its forms."""
        if self.take("query", "execute"):
            self.execute()
        elif self.take("query"):
            self.expression(";", kind=Kind.STATEMENT)
        else:
            self.take("next")
            self.expression(";")

    def execute(self) -> None:
        end = self.until(";")
        self.dynamic(end)
        self.at = end + 1

    def dynamic(self, end: int) -> None:
        """Go over a command to be run, with INTO and USING in any order."""
        stop = self.until("into", "using", limit=end)
        self.add(self.at, stop, Kind.DYNAMIC)
        self.at = stop
        while self.at < end:
            if self.take("into"):
                stop = self.until("using", limit=end)
                self.targets.append((self.at, stop))
                self.at = stop
            else:
                self.at += 1
                stop = self.until("into", limit=end)
                self.add(self.at, stop, Kind.EXPRESSION)
                self.at = stop

    def perform(self) -> None:
        self.expression(";")

    def complain(self) -> None:
        """Go over RAISE: what fills its message, and its options."""
        end = self.until(";")
        self.at += self.word() in _LEVELS
        options = self.until("using", limit=end)
        message = self.at < len(self.tokens) and self.tokens[self.at].is_literal
        if self.word() != "sqlstate":
            self.add(self.at + 2 * message, options, Kind.EXPRESSION)
        self.at = options + 1
        while self.at < end:
            stop = self.until(",", limit=end)
            self.add(self.at + 2, stop, Kind.EXPRESSION)
            self.at = stop + 1
        self.at = end + 1

    def open(self) -> None:
        """Go over OPEN of a cursor."""
        end = self.until(";")
        start = self.until("for", limit=end)
        if start == end:
            self.add(self.at, end, Kind.EXPRESSION)
        elif self.tokens[min(start + 1, end - 1)].word == "execute":
            self.at = start + 2
            self.dynamic(end)
        else:
            self.add(start + 1, end, Kind.STATEMENT)
        self.at = end + 1


_HANDLERS = {
    "if": _Reader.until_then,
    "elsif": _Reader.until_then,
    "elseif": _Reader.until_then,
    "when": _Reader.until_then,
    "while": _Reader.until_loop,
    "case": _Reader.case,
    "end": _Reader.end,
    "for": _Reader.loop_over,
    "foreach": _Reader.loop_array,
    "exit": _Reader.leave,
    "continue": _Reader.leave,
    "return": _Reader.give,
    "execute": _Reader.execute,
    "perform": _Reader.perform,
    "assert": _Reader.perform,
    "raise": _Reader.complain,
    "open": _Reader.open,
    "get": _Reader.variables_only,
    "fetch": _Reader.variables_only,
    "move": _Reader.variables_only,
    "close": _Reader.variables_only,
}
"""What each word that begins a statement of the language leads to; the rest is SQL."""
