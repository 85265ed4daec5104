"""PL/pgSQL: the pieces of SQL in a body, found on its tokens.

PostgreSQL's parser sees a body as one string, and pglast's `parse_plpgsql` refuses declarations
of a qualified type, so the statements of the language are told apart here. Whatever is taken for
a piece of SQL is then parsed as such, which proves the cut right.
"""

from dataclasses import dataclass

from collec_migrations.scripts.declarations import declarations
from collec_migrations.scripts.tokens import scan
from collec_migrations.scripts.walking import CLOSING, FRAMES, OPENING, Fragment, Kind, Walker

__all__ = ["FRAMES", "Fragment", "Kind", "Reading", "read"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a body consists of."""

    fragments: tuple[Fragment, ...]
    variables: frozenset[str]
    """Names declared in the body."""
    targets: tuple[tuple[int, int], ...]
    """Where values are given to variables: first character, and the one behind the last."""


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


class _Reader(Walker):
    """Knows the statements of the language."""

    def block(self) -> None:
        """Go over the whole body."""
        while self.at < len(self.tokens):
            before = self.at
            if self.word() == "declare":
                self.at += 1
                declarations(self)
            else:
                self.statement()
            self.at = max(self.at, before + 1)

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
        while self.until("[", limit=end) < end:
            self.at = self.until("[", limit=end) + 1
            self.subscript()
        self.at = end + 1
        self.expression(";")

    def subscript(self) -> None:
        """Go over what stands between brackets: an element, or the two ends of a slice."""
        closing = self.until("]")
        middle = self.until(":", limit=closing)
        self.add(self.at, middle, Kind.EXPRESSION)
        self.add(middle + 1, closing, Kind.EXPRESSION)
        self.at = closing + 1

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
            depth += (word in OPENING) - (word in CLOSING)
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
