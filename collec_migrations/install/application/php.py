"""Parse the assignments of a PHP file of parameters: constants in quotes, comments left out. Pure.

Everything that is not `$NAME = constant;` is passed over, so a file with errors still gives what
stands before and behind them.
"""

import re
from collections.abc import Iterator, Mapping

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
    found: dict[str, str] = {}
    for name, match in _assigned(text):
        value = _constant(match.lastgroup or "", match[0], found) if match else None
        if value is not None:
            found[name] = value
    return found


def places(text: str) -> Mapping[str, tuple[int, int]]:
    """Return where the constant stands that each name is given last, from and behind.

    A name that something else than a constant is given later on is left out.
    """
    found: dict[str, tuple[int, int]] = {}
    for name, match in _assigned(text):
        if match and match.lastgroup in ("single", "double", "number"):
            found[name] = match.span()
        else:
            found.pop(name, None)
    return found


def _assigned(text: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """Yield each name with the one token that it is given; None: it is given more than one."""
    tokens = [
        match for match in _TOKEN.finditer(text) if match.lastgroup not in ("comment", "space")
    ]
    for place, match in enumerate(tokens):
        following = tokens[place + 1 : place + 4]
        if match.lastgroup != "variable" or len(following) < 2 or following[0][0] != "=":
            continue
        alone = len(following) < 3 or following[2][0] in (";", "?")
        yield match[0][1:], following[1] if alone else None


def _constant(kind: str, text: str, known: Mapping[str, str]) -> str | None:
    """Return the value of a constant, None when it is none."""
    if kind == "single":
        return re.sub(r"\\([\\'])", r"\1", text[1:-1])
    if kind == "double":
        inserted = _INSERTED.sub(lambda match: known.get(match[1], match[0]), text[1:-1])
        return _ESCAPE.sub(lambda match: _DOUBLE.get(match[1], match[0]), inserted)
    if kind == "variable":
        return known.get(text[1:])
    return text if kind == "number" else None
