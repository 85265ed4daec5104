"""Tokens as PostgreSQL's own scanner sees them, and how a name is written as one."""

from dataclasses import dataclass
from typing import Any

from pglast import parse_sql, parser
from pglast.keywords import COL_NAME_KEYWORDS, RESERVED_KEYWORDS, TYPE_FUNC_NAME_KEYWORDS
from pglast.keywords import UNRESERVED_KEYWORDS as OPEN_KEYWORDS

KEYWORDS = COL_NAME_KEYWORDS | RESERVED_KEYWORDS | TYPE_FUNC_NAME_KEYWORDS | OPEN_KEYWORDS
COMMENTS = frozenset({"SQL_COMMENT", "C_COMMENT"})
LITERALS = frozenset({"SCONST", "USCONST"})
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_TO_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a text, comments left out."""

    start: int
    end: int
    name: str
    kind: str
    text: str

    @property
    def is_literal(self) -> bool:
        """Whether this is a string constant, in any of the ways to quote one."""
        return self.name in LITERALS

    @property
    def is_name(self) -> bool:
        """Whether this can be the name of a schema or a role."""
        if self.name in ("IDENT", "UIDENT"):
            return True
        return self.kind in ("UNRESERVED_KEYWORD", "COL_NAME_KEYWORD", "TYPE_FUNC_NAME_KEYWORD")

    @property
    def word(self) -> str:
        """What an unquoted word stands for, in lower case; empty for anything else."""
        return "" if self.text[:1] in "'\"$" else fold(self.text)

    @property
    def identifier(self) -> str:
        """The name that this token stands for."""
        if self.name == "UIDENT":
            return str(selected(self.text).fields[0].sval)
        if self.text.startswith('"'):
            return self.text[1:-1].replace('""', '"')
        return fold(self.text)


def scan(sql: str) -> tuple[Token, ...]:
    """Return the tokens of a text; raise pglast's `ParseError` where there are none."""
    if not sql.strip():
        return ()
    return tuple(
        Token(token.start, token.end + 1, token.name, token.kind, sql[token.start : token.end + 1])
        for token in parser.scan(sql)
        if token.name not in COMMENTS
    )


def selected(text: str) -> Any:
    """Return the tree of an expression, which is whatever pglast makes of it."""
    statement: Any = parse_sql(f"select {text}")[0].stmt
    return statement.targetList[0].val


def fold(word: str) -> str:
    """Return an unquoted identifier as PostgreSQL folds it: ASCII letters only."""
    return word.translate(_TO_LOWER)


def quote(name: str) -> str:
    """Return a name as SQL has to write it: with quotes only where it needs them."""
    if needs_quotes(name):
        return '"' + name.replace('"', '""') + '"'
    return name


def needs_quotes(name: str) -> bool:
    """Whether a name is anything else than a plain lower-case word without meaning in SQL."""
    return not name or name[0].isdigit() or not _PLAIN.issuperset(name) or name in KEYWORDS
