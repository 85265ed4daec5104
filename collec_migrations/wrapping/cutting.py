"""The parts of an UPDATE or DELETE, cut from its text by the parser's tokens. Pure."""

from dataclasses import dataclass
from typing import Any

from pglast import parse_sql
from pglast.parser import ParseError

from collec_migrations.postgres import quoting
from collec_migrations.scripts import tokens

_WORDS = ("UPDATE", "DELETE_P", "SET", "FROM", "USING", "WHERE", "RETURNING")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Where the words stand that divide a statement, outside all brackets."""

    text: str
    places: dict[str, tuple[int, int]]

    def between(self, word: str, *ends: str) -> str:
        """Return what stands behind a word, up to the first of some others."""
        if word not in self.places:
            return ""
        start = self.places[word][1]
        stops = [self.places[end][0] for end in ends if end in self.places]
        return self.text[start : min([*stops, len(self.text)])].strip()


def touched(sql: str, tree: Any) -> str:
    """Return the query for the row addresses (`ctid`) that an UPDATE or DELETE takes.

    Empty when it cannot be cut out, or not be proved to choose the same rows.
    """
    words = _words(sql)
    if type(tree).__name__ == "UpdateStmt":
        start = words.places["UPDATE"][0]
        relation = words.between("UPDATE", "SET")
        others = words.between("FROM", "WHERE", "RETURNING")
        clause = tree.fromClause
    else:
        start = words.places["DELETE_P"][0]
        relation = words.between("FROM", "USING", "WHERE", "RETURNING")
        others = words.between("USING", "WHERE", "RETURNING")
        clause = tree.usingClause
    where = words.between("WHERE", "RETURNING")
    alias = tree.relation.alias.aliasname if tree.relation.alias else tree.relation.relname
    query = (
        f"{sql[:start]}select {quoting.identifier(alias)}.ctid from {relation}"
        f"{f', {others}' if others else ''}{f' where {where}' if where else ''}"
    )
    return query if _chooses_the_same(query, tree, clause) else ""


def _chooses_the_same(query: str, tree: Any, clause: Any) -> bool:
    try:
        found: Any = parse_sql(query)[0].stmt
    except ParseError:
        return False
    # Equality of pglast's nodes is blind to locations.
    return bool(
        found.whereClause == tree.whereClause and tuple(found.fromClause[1:]) == (clause or ())
    )


def _words(sql: str) -> _Words:
    places: dict[str, tuple[int, int]] = {}
    depth = 0
    before = ""
    for token in tokens.scan(sql):
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        divides = token.name in _WORDS and not depth and token.name not in places
        # `is distinct from` is an operator.
        if divides and not (token.name == "FROM" and before == "DISTINCT"):
            places[token.name] = (token.start, token.end)
        before = token.name
    return _Words(text=sql, places=places)
