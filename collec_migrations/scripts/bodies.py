"""The bodies of functions and of DO: their language, and programs in PL/pgSQL."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from pglast.parser import ParseError

from collec_migrations.scripts import literals, plpgsql, tokens
from collec_migrations.scripts.literals import Edit
from collec_migrations.scripts.plpgsql import FRAMES, Fragment, Kind, Reading
from collec_migrations.scripts.rules import Binder, Mode, Scope, UnprovableError, written
from collec_migrations.scripts.tokens import Token
from collec_migrations.scripts.trees import Step


def language(at: Step) -> str | None:
    """Return the language of the body at this place; None where no body is."""
    if at.slot != ("DefElem", "arg") or at.node.defname != "as" or at.up is None:
        return None
    if at.up.kind not in ("CreateFunctionStmt", "DoStmt"):
        return None
    options = at.up.node.args if at.up.kind == "DoStmt" else at.up.node.options
    named = [option.arg.sval for option in options if option.defname == "language"]
    return tokens.fold(named[0]) if named else "plpgsql"


def inner(scope: Scope, at: Step, locate: Callable[[int], int]) -> Scope:
    """Return the scope of the body at this place: the function's parameters are variables."""
    function: Any = at.up.node if at.up else None
    parameters = getattr(function, "parameters", None) or ()
    names = frozenset(parameter.name for parameter in parameters if parameter.name)
    return replace(scope, locate=locate, shadows=names, mode=Mode.PLAIN)


def program(body: str, scope: Scope, binder: Binder) -> list[Edit]:
    """Return the edits of a body in PL/pgSQL; raise `ParseError` or `UnprovableError`."""
    reading = plpgsql.read(body)
    shadows = scope.shadows | reading.variables
    edits: list[Edit] = []
    for fragment in reading.fragments:
        if scope.rules.mentioned(fragment.text):
            edits += _fragment(fragment, replace(scope, shadows=shadows), binder)
    edits += _unclaimed(body, reading, replace(scope, shadows=shadows))
    again = plpgsql.read(literals.apply(body, edits))
    if [one.kind for one in again.fragments] != [one.kind for one in reading.fragments]:
        raise UnprovableError("the program in PL/pgSQL would be another one")
    return edits


def _fragment(fragment: Fragment, scope: Scope, binder: Binder) -> list[Edit]:
    """Return the edits of one piece of SQL, in the offsets of the body."""
    start = fragment.start
    mode = Mode.RUN if fragment.kind is Kind.DYNAMIC else Mode.CODE
    inside = replace(scope, mode=mode, locate=lambda at: scope.locate(at + start))
    try:
        found = binder(fragment.text, inside, FRAMES[fragment.kind]).edits
    except UnprovableError as error:
        raise UnprovableError(error.reason, error.offset + start) from error
    except ParseError as error:
        found = tuple(_decided(fragment.text, inside, f"not understood: {error.args[0]}"))
    return [Edit(edit.start + start, edit.end + start, edit.text) for edit in found]


def _decided(text: str, scope: Scope, reason: str) -> list[Edit]:
    """Return the edits, as decided, of what looks like qualified names in a piece of a program."""
    return [
        _renamed(text, token, scope)
        for token in _qualifiers(text, scope)
        if scope.decide(token.start, token.identifier, reason)
    ]


def _unclaimed(body: str, reading: Reading, scope: Scope) -> list[Edit]:
    """Return the edits, as decided, of qualified names outside all pieces of SQL."""
    return [
        _renamed(body, token, scope)
        for token in _qualifiers(body, scope)
        if not any(_holds(fragment, token) for fragment in reading.fragments)
        and not (token.identifier in scope.shadows and _assigned(reading, token))
        and scope.decide(token.start, token.identifier, "outside of SQL in PL/pgSQL")
    ]


def _holds(fragment: Fragment, token: Token) -> bool:
    """Whether a token of the body is a part of a fragment."""
    start = token.start - fragment.start
    return start >= 0 and fragment.text[start : start + len(token.text)] == token.text


def _assigned(reading: Reading, token: Token) -> bool:
    """Whether a token stands where a variable gets a value."""
    return any(start <= token.start < end for start, end in reading.targets)


def _qualifiers(text: str, scope: Scope) -> list[Token]:
    found = tokens.scan(text)
    return [
        token
        for token, after in pairwise(found)
        if after.text == "." and token.is_name and token.identifier in scope.rules.schemas
    ]


def _renamed(text: str, token: Token, scope: Scope) -> Edit:
    before, after = text[: token.start][-1:], text[token.end :][:1]
    name = scope.rules.schemas[token.identifier]
    return Edit(token.start, token.end, written(token, name, before, after))
