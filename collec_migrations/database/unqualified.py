"""Take schema names out of definitions that PostgreSQL printed; pure, on tokens."""

import re

_NAME = r'"(?:[^"]|"")*"|[^\W\d][\w$]*'
_TOKEN = re.compile(
    rf"(?P<literal>'(?:[^']|'')*')(?P<cast>::reg[a-z]+)?"
    rf"|OPERATOR\((?P<home>{_NAME})\.(?P<operator>[^)]+)\)"
    rf"|(?P<name>{_NAME})(?P<dot>\.(?=[^\W\d]|\"))?"
)


def unqualified(definition: str, schemas: frozenset[str]) -> str:
    """Return the definition as it reads when all these schemas are in the search path.

    A literal is left as it is, but for names of objects: `nextval('col.x_seq'::regclass)`.
    """
    if "." not in definition:
        return definition

    def replace(match: re.Match[str]) -> str:
        if match["literal"]:
            return _literal(match, schemas)
        if match["operator"]:
            return match["operator"] if _bare(match["home"]) in schemas else match[0]
        return "" if match["dot"] and _bare(match["name"]) in schemas else match[0]

    return _TOKEN.sub(replace, definition)


def _literal(match: re.Match[str], schemas: frozenset[str]) -> str:
    """Return a literal without schemas when it names an object, else as it is."""
    if not match["cast"]:
        return match[0]
    named = unqualified(match["literal"][1:-1].replace("''", "'"), schemas)
    return "'" + named.replace("'", "''") + "'" + match["cast"]


def _bare(name: str) -> str:
    """Return an identifier without its quotes."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
