"""SQL that an expression puts together: `||`, `concat`, `format`, `quote_ident`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collec_migrations.scripts import hiding
from collec_migrations.scripts.hiding import last_name
from collec_migrations.scripts.literals import Edit
from collec_migrations.scripts.rules import UnprovableError
from collec_migrations.scripts.trees import NOWHERE, Step

Marks = Mapping[int, str]
"""The markers of the constants that may be edited, by identity of their `String`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one character of the text comes from."""

    constant: str
    """The marker of the string constant."""
    start: int
    end: int
    """In the value of that constant."""
    in_format: bool
    """Whether a percent sign has to be doubled there."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an assembled text: known characters, or a hole."""

    text: str
    origins: tuple[Origin | None, ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """A part that is known only when the program runs."""

    kind: str
    """`I` an identifier, `L` a literal, `s` anything."""
    constant: str | None
    """The marker of the constant that fills it, if a constant does."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An assembled text in which the holes were filled with something."""

    text: str
    origins: tuple[Origin | None, ...]
    holes: Mapping[str, str]
    """The word that stands for each hole, and the marker of the constant that fills it."""

    def origin(self, offset: int) -> tuple[str, int]:
        """Return the constant, and the offset in its value, that a character comes from."""
        for origin in (*self.origins[offset:], *reversed(self.origins[:offset])):
            if origin is not None:
                return origin.constant, origin.start
        raise UnplacedError

    def lift(self, edits: Iterable[Edit]) -> dict[str, list[Edit]]:
        """Return edits of the text as edits of the constants; raise `UnplacedError`."""
        lifted: dict[str, list[Edit]] = {}
        for edit in edits:
            first, *others = self.origins[edit.start : edit.end]
            last = others[-1] if others else first
            if first is None or last is None or first.constant != last.constant:
                raise UnplacedError
            text = edit.text.replace("%", "%%") if first.in_format else edit.text
            lifted.setdefault(first.constant, []).append(Edit(first.start, last.end, text))
        return lifted


class UnplacedError(UnprovableError):
    """Something in the text that comes from no constant, or from two."""

    def __init__(self) -> None:
        super().__init__("a name is put together from several parts")


@dataclass(frozen=True, slots=True)
class Assembled:
    """The parts of an expression that makes SQL."""

    parts: tuple[Piece | Hole, ...]
    formatted: bool
    """Whether format() puts it together."""

    @property
    def constants(self) -> frozenset[str]:
        """The markers of all constants in it."""
        known = {
            o.constant for part in self.parts if isinstance(part, Piece) for o in part.origins if o
        }
        return frozenset(
            known
            | {part.constant for part in self.parts if isinstance(part, Hole) and part.constant}
        )

    def attempts(self) -> Iterator[Attempt]:
        """Yield the text with the holes filled in several ways, the likeliest first."""
        yield self._filled("{}", "{}")
        if any(isinstance(part, Hole) and part.kind == "s" for part in self.parts):
            yield self._filled("{}", "1")
            yield self._filled("{}", "")
            yield self._filled("select * from a", "{}")
            yield self._filled("select * from a where true", "{}")

    def _filled(self, first: str, other: str) -> Attempt:
        """Return the text with these words for what may be anything: at its start, elsewhere."""
        text, origins, holes = "", list[Origin | None](), {}
        for number, part in enumerate(self.parts):
            if isinstance(part, Piece):
                text += part.text
                origins += part.origins
                continue
            word = f"hole{number}_"
            holes[word] = part.constant or ""
            anything = (first if not text else other).format(word)
            filler = {"I": word, "L": f"'{word}'"}.get(part.kind, anything)
            text += filler
            origins += [None] * len(filler)
        return Attempt(text, tuple(origins), holes)


def assemble(node: Any, marks: Marks) -> Assembled:
    """Return the parts of an expression."""
    return Assembled(tuple(pieces(node, marks)), _formats(node))


def single(marker: str, value: str) -> Assembled:
    """Return a constant that stands alone."""
    return Assembled((_known(marker, value),), formatted=False)


def _formats(node: Any) -> bool:
    kind = type(node).__name__
    if kind == "FuncCall":
        return last_name(node.funcname) == "format"
    if kind == "A_Expr":
        return _formats(node.lexpr) or _formats(node.rexpr)
    return hiding.casts_to_text(node) and _formats(node.arg)


def root(at: Step) -> tuple[Any, Step]:
    """Return the whole expression that a constant is a part of, None for the bare constant."""
    top, here = None, at
    while True:
        joins = here.kind == "A_Expr" and last_name(here.node.name) == "||"
        calls = here.slot == ("FuncCall", "args") and last_name(here.node.funcname) in (
            "format", "concat", "quote_ident", "quote_literal", "quote_nullable",
        )  # fmt: skip
        if not (joins or calls or hiding.casts_to_text(here.node)):
            return top, here
        builds = calls and last_name(here.node.funcname) in ("format", "concat")
        if joins or builds or top is not None:
            top = here.node
        here = here.up or NOWHERE


def pieces(node: Any, marks: Marks) -> Iterator[Piece | Hole]:
    """Yield the parts of an expression."""
    string = hiding.constant(node)
    kind = type(node).__name__
    name = last_name(node.funcname) if kind == "FuncCall" else ""
    if string is not None:
        yield _known(marks.get(id(string)), str(string.sval))
    elif kind == "A_Expr" and last_name(node.name) == "||":
        yield from pieces(node.lexpr, marks)
        yield from pieces(node.rexpr, marks)
    elif hiding.casts_to_text(node):
        yield from pieces(node.arg, marks)
    elif name == "concat":
        for argument in node.args or ():
            yield from pieces(argument, marks)
    elif name == "format":
        yield from _format(node.args, marks)
    elif name in ("quote_ident", "quote_literal", "quote_nullable"):
        yield Hole("I" if name == "quote_ident" else "L", _marked(node.args[0], marks))
    else:
        yield Hole("s", None)


def _known(marker: str | None, value: str) -> Piece:
    if marker is None:
        return Piece(value, (None,) * len(value))
    return Piece(value, tuple(Origin(marker, at, at + 1, False) for at in range(len(value))))


def _marked(node: Any, marks: Marks) -> str | None:
    """Return the marker of a constant; None for anything else."""
    return marks.get(id(hiding.constant(node)))


def _format(arguments: Any, marks: Marks) -> Iterator[Piece | Hole]:
    """Yield the parts of a call of format(): its placeholders are holes."""
    template = list(_characters(arguments[0], marks))
    text = "".join(character for character, _ in template)
    at, turn = 0, 1
    while at < len(text):
        start = at
        origin = template[at][1]
        if isinstance(origin, Hole):
            yield origin
            at += 1
            continue
        at, position = _specifier(text, at + 1) if text[at] == "%" else (at, 0)
        letter = text[at : at + 1]
        at += 1
        if text[start] != "%" or letter == "%":
            yield _written(letter, origin, template[at - 1][1])
            continue
        turn = position or turn
        filler = arguments[turn] if turn < len(arguments) else None
        turn += 1
        if letter == "s" and filler is not None:
            yield from pieces(filler, marks)
        else:
            yield Hole(letter or "s", _marked(filler, marks))


def _characters(node: Any, marks: Marks) -> Iterator[tuple[str, Origin | Hole | None]]:
    """Yield the characters of a format, a hole as a character that SQL cannot hold."""
    for part in pieces(node, marks):
        if isinstance(part, Hole):
            yield "\0", part
        else:
            yield from zip(part.text, part.origins, strict=True)


def _written(letter: str, first: Origin | Hole | None, last: Origin | Hole | None) -> Piece:
    """Return a character of a format, which a doubled sign may stand for."""
    if not isinstance(first, Origin) or not isinstance(last, Origin):
        return Piece(letter, (None,))
    return Piece(letter, (Origin(first.constant, first.start, last.end, True),))


def _specifier(value: str, at: int) -> tuple[int, int]:
    """Return where the letter of a placeholder stands, and the argument it names or 0."""
    number, position = "", 0
    while at < len(value) and value[at] in "0123456789$-*":
        if value[at] == "$":
            position, number = int(number or 0), ""
        elif value[at].isdigit():
            number += value[at]
        at += 1
    return at, position
