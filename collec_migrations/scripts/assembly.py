"""SQL that an expression puts together: `||`, `concat`, `format`, `quote_ident`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collec_migrations.scripts.hiding import constant_text, is_text_cast, last_name
from collec_migrations.scripts.literals import Edit
from collec_migrations.scripts.rules import UnprovableError
from collec_migrations.scripts.trees import NOWHERE, Step


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


def assemble(node: Any, values: Mapping[str, str]) -> Assembled:
    """Return the parts of an expression; `values` are those of the marked constants."""
    return Assembled(tuple(pieces(node, values)), _formats(node))


def single(marker: str, value: str) -> Assembled:
    """Return a constant that stands alone."""
    return Assembled((_known(marker, {marker: value}),), formatted=False)


def _formats(node: Any) -> bool:
    kind = type(node).__name__
    if kind == "FuncCall":
        return last_name(node.funcname) == "format"
    if kind == "A_Expr":
        return _formats(node.lexpr) or _formats(node.rexpr)
    return kind == "TypeCast" and _formats(node.arg)


def root(at: Step) -> tuple[Any, Step]:
    """Return the whole expression that a constant is a part of, None for the bare constant."""
    top, here = None, at
    while True:
        joins = here.kind == "A_Expr" and last_name(here.node.name) == "||"
        calls = here.slot == ("FuncCall", "args") and last_name(here.node.funcname) in (
            "format", "concat", "quote_ident", "quote_literal", "quote_nullable",
        )  # fmt: skip
        if not (joins or calls or is_text_cast(here)):
            return top, here
        builds = calls and last_name(here.node.funcname) in ("format", "concat")
        if joins or builds or top is not None:
            top = here.node
        here = here.up or NOWHERE


def pieces(node: Any, values: Mapping[str, str]) -> Iterator[Piece | Hole]:
    """Yield the parts of an expression; `values` are those of the constants that are marked."""
    text = constant_text(node)
    if text is not None:
        yield _known(text, values)
        return
    kind = type(node).__name__
    name = last_name(node.funcname) if kind == "FuncCall" else ""
    if kind == "A_Expr" and last_name(node.name) == "||":
        yield from pieces(node.lexpr, values)
        yield from pieces(node.rexpr, values)
    elif kind == "TypeCast":
        yield from pieces(node.arg, values)
    elif name == "concat":
        for argument in node.args or ():
            yield from pieces(argument, values)
    elif name == "format" and constant_text(node.args[0]) is not None:
        yield from _format(node.args, values)
    elif name in ("quote_ident", "quote_literal", "quote_nullable"):
        yield Hole("I" if name == "quote_ident" else "L", constant_text(node.args[0]))
    else:
        yield Hole("s", None)


def _known(text: str, values: Mapping[str, str]) -> Piece:
    if text not in values:
        return Piece(text, (None,) * len(text))
    value = values[text]
    return Piece(value, tuple(Origin(text, at, at + 1, False) for at in range(len(value))))


def _format(arguments: Any, values: Mapping[str, str]) -> Iterator[Piece | Hole]:
    """Yield the parts of a call of format(): its placeholders are holes."""
    marker = str(constant_text(arguments[0]))
    value = values.get(marker, marker)
    at, turn = 0, 1
    while at < len(value):
        start = at
        if value[at] != "%":
            yield _written(marker, value[at], start, at + 1)
            at += 1
            continue
        at, position = _specifier(value, at + 1)
        letter = value[at : at + 1]
        at += 1
        if letter == "%":
            yield _written(marker, "%", start, at)
            continue
        turn = position or turn
        filler = arguments[turn] if turn < len(arguments) else None
        turn += 1
        if letter == "s" and filler is not None:
            yield from pieces(filler, values)
        else:
            yield Hole(letter or "s", constant_text(filler))


def _written(marker: str, text: str, start: int, end: int) -> Piece:
    return Piece(text, (Origin(marker, start, end, True),))


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
