"""A site's own names in place of `gacl` and `col`: bound on the scanner's tokens, then proved."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache

from pglast.keywords import (
    COL_NAME_KEYWORDS,
    RESERVED_KEYWORDS,
    TYPE_FUNC_NAME_KEYWORDS,
    UNRESERVED_KEYWORDS,
)
from pglast.parser import ParseError, Token, parse_sql_json

from collec_migrations.errors import ScriptUnreadable
from collec_migrations.sql.statements import Statement, line_at, split, tokens

LEFT_ALONE = {"col": frozenset({"aclappli", "appli"})}
"""The application's code in its table of rights: a literal of this value is no schema's name in a
statement that names this table or its column."""

_SCHEMA_WORDS = frozenset(
    {"nspname", "schemaname", "table_schema", "constraint_schema", "sequence_schema", "search_path",
        "set_config",
     "current_schema", "current_schemas", "has_schema_privilege", "regnamespace", "quote_ident",
     "to_regnamespace", "quote_literal", "format", "addgeometrycolumn", "schema"}
)  # fmt: skip
"""Near one of these words a literal that is a name and nothing else is a schema's name."""
_NEAR = 8

_KEYWORDS = COL_NAME_KEYWORDS | RESERVED_KEYWORDS | TYPE_FUNC_NAME_KEYWORDS | UNRESERVED_KEYWORDS
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_CONSTANT = re.compile(
    r"(?P<open>[eEnN]?'|\$[^$]*\$)(?P<value>.*?)(?P<close>'|\$[^$]*\$)", re.DOTALL
)
_LOCATION = re.compile(r'"\w*(?:location|_len|list_start|list_end)":\d+,?|,(?=\})')
_STRING = re.compile(r'("(?:[^"\\]|\\.)*")')
_OBJECT_TYPES = frozenset({"regnamespace", "to_regnamespace"})
_FORMATS = frozenset({"format", "exception", "notice", "warning", "info", "log", "debug"})


def bind(sql: str, names: Mapping[str, str], *, shown: str = "") -> str:
    """Return a script with the site's names of schemas in place of the script's.

    Nothing else changes. Raise `ScriptUnreadable`, naming file and line, where a name stands in a
    place that cannot be bound, and where the result is not proved to say the same.
    """
    wanted = {old: new for old, new in names.items() if old != new}
    if not wanted or not _word(frozenset(wanted)).search(sql):
        return sql
    try:
        bound = "".join(_script(sql, wanted))
        prove(sql, bound, wanted)
    except Unbound as error:
        at = line_at(sql, error.offset)
        place = f"{shown}:{at}" if shown else f"line {at}"
        raise ScriptUnreadable(
            f"{place}: the names of schemas cannot be bound: {error.reason}", hint=error.hint
        ) from error
    return bound


def quote(name: str) -> str:
    """Return a name as SQL has to write it: with quotes only where it needs them."""
    if _PLAIN.fullmatch(name) and name not in _KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


class Unbound(Exception):
    """A name stands where it cannot be bound."""

    def __init__(self, offset: int, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason
        self.hint = hint or "Write the statement in another way in a copy of the script."


@cache
def _word(names: frozenset[str]) -> re.Pattern[str]:
    """Return what finds one of these names as a word of its own."""
    return re.compile(r"(?<![\w$])(?:" + "|".join(map(re.escape, sorted(names))) + r")(?![\w$])")


def _script(sql: str, names: Mapping[str, str]) -> Iterator[str]:
    """Yield the pieces of the bound script."""
    done = 0
    for statement in split(sql):
        yield sql[done : statement.offset]
        if _word(frozenset(names)).search(statement.text):
            yield _bound(statement.text, names, statement.offset)
        else:
            yield statement.text
        done = statement.end
    yield sql[done:]


def _bound(text: str, names: Mapping[str, str], offset: int) -> str:
    """Return one statement, or one body, with the names bound; `offset` is its place."""
    found = tokens(text)
    words = [text[token.start : token.end + 1].lower() for token in found]
    pieces, done = [], 0
    for index, token in enumerate(found):
        old = text[token.start : token.end + 1]
        if token.name == "SCONST":
            new = _literal(old, names, words, index, offset + token.start)
        elif (name := _identifier(token, old)) in names:
            new = _schema(old, names[name], words, index, offset + token.start)
        else:
            if token.name in ("UIDENT", "USCONST") and _word(frozenset(names)).search(old):
                raise Unbound(offset + token.start, f"{old} is written with Unicode escapes")
            continue
        pieces += [text[done : token.start], new]
        done = token.end + 1
    return "".join([*pieces, text[done:]])


def _identifier(token: Token, text: str) -> str:
    """Return the name that a token stands for; empty for what is no identifier."""
    if token.name != "IDENT":
        return ""
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()


def _schema(old: str, new: str, words: list[str], index: int, offset: int) -> str:
    """Return what an identifier becomes: the schema's name, or itself after a dot."""
    before = words[index - 1] if index else ""
    qualifies = words[index + 1 : index + 2] == ["."]
    if before == "." and not qualifies:
        return old  # a column, or a table of that name
    if not (qualifies and before != ".") and not _names_schema(words, index):
        raise Unbound(
            offset,
            f"{old} is the name of something else here",
            "Give the column, alias or variable another name in a copy of the script.",
        )
    quoted = quote(new)
    return f'"{quoted}"' if old.startswith('"') and quoted == new else quoted


def _names_schema(words: list[str], index: int) -> bool:
    """Say whether a name without a dot stands for a schema: `in schema a, col`, a search path."""
    at = index - 1
    while at >= 0 and words[at] in (",", "if", "not", "exists", "=", "to"):
        at -= 2 if words[at] == "," else 1
    return at >= 0 and words[at] in ("schema", "search_path")


def _literal(old: str, names: Mapping[str, str], words: list[str], index: int, offset: int) -> str:
    """Return what a string constant becomes."""
    match = _CONSTANT.fullmatch(old)
    if not match or not _word(frozenset(names)).search(old):
        return old
    opening, value, closing = match["open"], match["value"], match["close"]
    if opening.startswith("$"):
        return _body(opening, value, names, offset)
    if words[max(index - 1, 0)] == "is":
        return old  # `comment on ... is` is for readers
    near = words[max(index - _NEAR, 0) : index + _NEAR]
    if value in names and _SCHEMA_WORDS.intersection(near):
        is_path = words[max(index - 4, 0) : index - 1] == ["set_config", "(", "'search_path'"]
        is_object = is_path or _OBJECT_TYPES.intersection(words[max(index - 2, 0) : index + 4])
        return opening + _escaped(quote(names[value]) if is_object else names[value], opening) + "'"
    if LEFT_ALONE.get(value, frozenset()).intersection(words):
        return old
    name, quotes, rest = _qualifier(value, names)
    if not name or _word(frozenset(names)).search(rest):
        raise Unbound(
            offset,
            f"{_short(old)} holds the name of a schema",
            "Where it is only text, split the word in a copy of the script ('c' || 'ol'); where it"
            " is SQL, put it between dollar quotes.",
        )
    new = quote(names[name])
    if quotes and not new.startswith('"'):
        new = f'"{new}"'
    if {*words[max(index - 2, 0) : index]} & _FORMATS:
        new = new.replace("%", "%%")
    return opening + _escaped(new, opening) + rest + closing


def _qualifier(value: str, names: Mapping[str, str]) -> tuple[str, bool, str]:
    """Return the schema that a value begins with, whether it is quoted, and what follows it."""
    for name in names:
        for written in (f"{name}.", f'"{name}".'):
            if value.startswith(written):
                return name, written[0] == '"', value[len(written) - 1 :]
    return "", False, value


def _escaped(new: str, opening: str) -> str:
    """Return a name as it stands inside this kind of quotes."""
    new = new.replace("'", "''")
    return new.replace("\\", "\\\\") if opening[0] in "eE" else new


def _body(opening: str, value: str, names: Mapping[str, str], offset: int) -> str:
    """Return a dollar-quoted body, bound as a script is; its quotes must not end inside it."""
    try:
        bound = _bound(value, names, offset + len(opening))
    except ParseError:
        raise Unbound(offset, "a name stands in a body that is not SQL") from None
    if opening not in f"{bound}$":
        return opening + bound + opening
    number = 0
    while f"$body{number}$" in bound:
        number += 1
    return f"$body{number}${bound}$body{number}$"


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= 50 else f"{one_line[:46]}...'"


def prove(sql: str, bound: str, names: Mapping[str, str]) -> None:
    """Raise `Unbound` unless both texts parse to the same trees but for the names."""
    try:
        pairs = zip(split(sql), split(bound), strict=True)
        for old, new in pairs:
            if old.text != new.text:
                _prove_statement(old, new, names)
    except (ScriptUnreadable, ParseError, ValueError):
        raise Unbound(0, "the bound script has other statements") from None


def _prove_statement(old: Statement, new: Statement, names: Mapping[str, str]) -> None:
    """Compare the two trees: the same but for strings, and each string the same or bound."""
    # Every second piece is a string: the tree's own words, and those of the statement.
    ours, theirs = (
        _STRING.split(_LOCATION.sub("", parse_sql_json(one.text))) for one in (old, new)
    )
    differing = (place for place, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b)
    if len(ours) != len(theirs) or not all(
        place % 2 and _is_bound(json.loads(ours[place]), json.loads(theirs[place]), names)
        for place in differing
    ):
        raise Unbound(old.offset, "the bound statement is not the same but for the names")


def _is_bound(old: str, new: str, names: Mapping[str, str]) -> bool:
    """Say whether a string of the bound tree is the original's: as it was, a name, or a body."""
    if old == new:
        return True
    if old in names:
        return new in (names[old], quote(names[old]))
    name, _, rest = _qualifier(old, names)
    if name and new.endswith(rest):
        quoted = quote(names[name])
        return new.removesuffix(rest) in (quoted, f'"{quoted}"', quoted.replace("%", "%%"))
    ours, theirs = tokens(old), tokens(new)
    if len(ours) != len(theirs) or (len(ours) == 1 and ours[0].name != "SCONST"):
        return False
    return all(
        a.name == b.name and _is_bound(_value(old, a), _value(new, b), names)
        for a, b in zip(ours, theirs, strict=True)
    )


def _value(text: str, token: Token) -> str:
    """Return what a token stands for: a name, the value of a constant, or itself."""
    old = text[token.start : token.end + 1]
    match = _CONSTANT.fullmatch(old) if token.name == "SCONST" else None
    if not match:
        return _identifier(token, old) or old
    if match["open"].startswith("$"):
        return match["value"]
    value = match["value"].replace("''", "'")
    return value.replace("\\\\", "\\") if match["open"][0] in "eE" else value
