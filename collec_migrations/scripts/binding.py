"""A site's own names bound in a script, on the parser's tokens, proved on its trees."""

from collections.abc import Mapping

from pglast.parser import ParseError

from collec_migrations.errors import ScriptUnreadable
from collec_migrations.scripts import statements, texts
from collec_migrations.scripts.literals import Edit, apply
from collec_migrations.scripts.rules import (
    Choice,
    Decisions,
    Doubt,
    Rules,
    Scope,
    UnprovableError,
)
from collec_migrations.scripts.statements import Statement

__all__ = ["Choice", "Decisions", "Doubt", "bind", "doubts"]

_NOTHING: Mapping[str, str] = {}
_UNDECIDED: Decisions = {}


def bind(
    sql: str,
    names: Mapping[str, str],
    *,
    roles: Mapping[str, str] = _NOTHING,
    decisions: Decisions = _UNDECIDED,
) -> str:
    """Return a script with the site's names of schemas and roles in place of the script's.

    Nothing else changes. What is in doubt is left alone unless `decisions` say otherwise: ask
    `doubts` first. Raise `ScriptUnreadable` where the result cannot be proved right.
    """
    rules = Rules.of(names, roles, decisions)
    return apply(sql, _bound(sql, rules)[0]) if rules.keys else sql


def doubts(
    sql: str,
    names: Mapping[str, str],
    *,
    roles: Mapping[str, str] = _NOTHING,
    decisions: Decisions = _UNDECIDED,
) -> tuple[Doubt, ...]:
    """Return the literals that may hold one of these names and that no decision is about."""
    rules = Rules.of(names, roles, decisions)
    return tuple(sorted(set(_bound(sql, rules)[1]))) if rules.keys else ()


def _bound(sql: str, rules: Rules) -> tuple[list[Edit], list[Doubt]]:
    """Return the edits that bind a script, and what is in doubt."""
    edits: list[Edit] = []
    found: list[Doubt] = []
    for statement in statements.split(sql):
        if rules.mentioned(statement.text):
            edits += _statement(statement, rules, found)
    return edits, found


def _statement(statement: Statement, rules: Rules, found: list[Doubt]) -> list[Edit]:
    """Return the edits of one statement, in the script's offsets."""
    text, offset = statement.text, statement.offset
    scope = Scope(rules, lambda at: statement.line_at(at + 1), found)
    try:
        edits = texts.bind(text, scope).edits
    except UnprovableError as error:
        line = scope.locate(error.offset)
        raise ScriptUnreadable(
            f"line {line}: the names of schemas cannot be bound: {error.reason}",
            hint="Write the statement in another way, or tell the project.",
        ) from error
    except ParseError as error:
        raise statements.unreadable(text, error) from error
    return [Edit(edit.start + offset, edit.end + offset, edit.text) for edit in edits]
