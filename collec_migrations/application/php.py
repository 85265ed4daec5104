"""Parse the assignments of a PHP file of parameters: constants in quotes, comments left out. Pure.

Everything that is not `$NAME = constant;` is passed over, so a file with errors still gives what
stands before and behind them.
"""

import re
from collections.abc import Mapping

_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*?(?=\?>|\n|$)|\#(?!\[)[^\n]*?(?=\?>|\n|$)|/\*.*?(?:\*/|\Z))"
    r"|(?P<single>'(?:[^'\\]|\\.)*')"
    r'|(?P<double>"(?:[^"\\]|\\.)*")'
    r"|(?P<variable>\$[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)"
    r"|(?P<number>\d+(?:\.\d+)*)"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<space>\s+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_DOUBLE = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}
_INSERTED = re.compile(r"(?<!\\)\{?\$\{?(\w+)\}?\}?")


def assignments(text: str) -> Mapping[str, str]:
    """Return the last constant that each variable or property is given, by name without `$`.

    `public string $dbversion = "25.0";` is read too. In double quotes, `$NAME` stands for the
    value that an earlier line gave it.
    """
    tokens = [
        (match.lastgroup or "", match[0])
        for match in _TOKEN.finditer(text)
        if match.lastgroup not in ("comment", "space")
    ]
    found: dict[str, str] = {}
    for place, (kind, name) in enumerate(tokens):
        following = tokens[place + 1 : place + 4]
        if kind != "variable" or len(following) < 2 or following[0][1] != "=":
            continue
        value = _constant(*following[1], found)
        if value is not None and (len(following) < 3 or following[2][1] in (";", "?")):
            found[name[1:]] = value
    return found


def _constant(kind: str, text: str, known: Mapping[str, str]) -> str | None:
    """Return the value of a constant, None when it is none."""
    if kind == "single":
        return re.sub(r"\\([\\'])", r"\1", text[1:-1])
    if kind == "double":
        inserted = _INSERTED.sub(lambda match: known.get(match[1], match[0]), text[1:-1])
        return _ESCAPE.sub(lambda match: _DOUBLE.get(match[1], match[0]), inserted)
    return text if kind == "number" else None
