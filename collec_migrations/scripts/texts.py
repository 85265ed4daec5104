"""Binds one text of SQL: marks what may be a name, asks the tree, edits, proves."""

from collections.abc import Mapping
from dataclasses import dataclass

from pglast.parser import ParseError

from collec_migrations.scripts import hiding, literals, naming, tokens, trees
from collec_migrations.scripts.constants import Constants
from collec_migrations.scripts.hiding import Use
from collec_migrations.scripts.literals import Edit
from collec_migrations.scripts.naming import Meaning
from collec_migrations.scripts.rules import Bound, Scope, UnprovableError, written
from collec_migrations.scripts.tokens import Token
from collec_migrations.scripts.trees import Place


@dataclass(frozen=True, slots=True)
class Marked:
    """A text in which every token that may be a name is a word found nowhere else."""

    text: str
    tokens: Mapping[str, Token]
    """By the mark that replaces each."""
    followed: frozenset[str]
    """Marks of those with a dot behind them."""
    marked: str


def bind(
    text: str,
    scope: Scope,
    frame: tuple[str, str] = ("", ""),
    holes: frozenset[str] = frozenset(),
) -> Bound:
    """Return the edits that bind a text; raise `ParseError` or `UnprovableError`.

    The frame makes a statement of the text; holes are words in it that stand for what is known
    only when it runs.
    """
    marked = mark(text, scope, holes)
    if not marked.tokens and not holes:
        return Bound()
    tree = trees.parse(frame[0] + marked.marked + frame[1])
    wanted = marked.tokens.keys() | holes
    found = list(trees.places(tree, wanted.__contains__))
    for place in found:
        if place.text in marked.tokens:
            place.write(_value(marked.tokens[place.text]))
    constants = Constants(marked.tokens, found, scope, bind)
    names: dict[str, str] = {}
    filled: dict[str, Use] = {}
    for place in found:
        token = marked.tokens.get(place.text)
        if token is None:
            filled[place.text] = _hole(place)
        elif token.is_literal:
            constants.visit(place)
        elif new := _renamed(place, token, scope, place.text in marked.followed):
            names[place.text] = new
    _refuse_lost(marked, found)
    edits = _edits(marked, names, constants.edits)
    _prove(marked, frame, names, constants.edits, literals.apply(text, edits))
    return Bound(tuple(edits), filled)


def mark(text: str, scope: Scope, holes: frozenset[str]) -> Marked:
    """Return the text with its candidates marked."""
    found = tokens.scan(text)
    prefix = scope.rules.unused(text)
    marks: dict[str, Token] = {}
    followed, edits = set(), []
    for index, token in enumerate(found):
        after = found[index + 1].text.lower() if index + 1 < len(found) else ""
        before = found[index - 1].text if index else ""
        if token.text.strip("'") in holes or not _is_candidate(token, scope, before, after):
            continue
        word = f"{prefix}{index}_"
        marks[word] = token
        if after == "." and not token.is_literal:
            followed.add(word)
        edits.append(Edit(token.start, token.end, f"'{word}'" if token.is_literal else f'"{word}"'))
    return Marked(text, marks, frozenset(followed), literals.apply(text, edits))


def _is_candidate(token: Token, scope: Scope, before: str, after: str) -> bool:
    """Whether a token may hold a name that is to be bound."""
    if token.is_literal:
        return scope.rules.mentioned(token.text) and after != "uescape"
    if after != "." and (before == "." or token.name not in ("IDENT", "UIDENT")):
        return False
    return token.is_name and after != "uescape" and token.identifier in scope.rules.keys


def _hole(place: Place) -> Use:
    """Return what a hole in this place is used for."""
    if place.constant:
        return hiding.use(place.at)
    schema = naming.meaning(place, frozenset(), place.text) is Meaning.SCHEMA
    return Use.NAME if schema else Use.DATA


def _renamed(place: Place, token: Token, scope: Scope, followed: bool) -> str | None:
    """Return the new name that an identifier gets in its place, if it gets one."""
    word = token.identifier
    found = naming.meaning(place, scope.shadows, word)
    if found is Meaning.SCHEMA:
        return scope.rules.schemas.get(word)
    if found is Meaning.ROLE:
        return scope.rules.roles.get(word)
    if found is Meaning.UNKNOWN and followed:
        kind = place.at.kind
        reason = f"{word!r} before a dot in {kind} may be a variable or a schema"
        if scope.decide(token.start, word, reason):
            return scope.rules.schemas.get(word)
    return None


def _refuse_lost(marked: Marked, found: list[Place]) -> None:
    """Raise `UnprovableError` for a name before a dot that the tree does not show."""
    lost = marked.followed - {place.text for place in found}
    for word in sorted(lost):
        token = marked.tokens[word]
        raise UnprovableError(f"{token.text} is used in an unknown way", token.start)


def _edits(marked: Marked, names: Mapping[str, str], inner: Mapping[str, list[Edit]]) -> list[Edit]:
    """Return the edits of the text: names, and what changes inside literals."""
    edits: list[Edit] = []
    for word, token in marked.tokens.items():
        if word in names:
            before, after = marked.text[: token.start][-1:], marked.text[token.end :][:1]
            new = written(token, names[word], before, after)
            edits.append(Edit(token.start, token.end, new))
        elif inner.get(word):
            edits += literals.edited(token, inner[word])
    return edits


def _prove(
    marked: Marked,
    frame: tuple[str, str],
    names: Mapping[str, str],
    inner: Mapping[str, list[Edit]],
    new: str,
) -> None:
    """Raise `UnprovableError` unless the new text says what the old one says, names apart.

    The marked text with the old values must mean the old text, and with the new values the new.
    """
    before = {word: _value(token) for word, token in marked.tokens.items()}
    after = {
        word: names[word] if word in names else literals.apply(value, inner.get(word, ()))
        for word, value in before.items()
    }
    template = frame[0] + marked.marked + frame[1]
    for values, text in ((before, marked.text), (after, new)):
        try:
            proved = trees.same(frame[0] + text + frame[1], template, values)
        except ParseError as error:
            raise UnprovableError(f"the result does not parse: {error.args[0]}") from error
        if not proved:
            raise UnprovableError("the result does not mean the same")


def _value(token: Token) -> str:
    return literals.value(token) if token.is_literal else token.identifier
