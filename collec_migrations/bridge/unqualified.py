"""Take schema names out of definitions that PostgreSQL printed; pure, on tokens."""

import re

_NAME = r'"(?:[^"]|"")*"|[^\W\d][\w$]*'
_TOKEN = re.compile(
    rf"(?P<literal>'(?:[^']|'')*')(?P<cast>::reg[a-z]+)?"
    rf"|OPERATOR\((?P<home>{_NAME})\.(?P<operator>[^)]+)\)"
    rf"|(?P<name>{_NAME})(?P<dot>\.(?=(?P<next>[^\W\d][\w$]*\(?)|\"))?"
)
_NOTHING: frozenset[str] = frozenset()


def unqualified(
    definition: str, schemas: frozenset[str], shadowed: frozenset[str] = _NOTHING
) -> str:
    """Return the definition as it reads when all these schemas are in the search path.

    A literal is left as it is, but for names of objects: `nextval('col.x_seq'::regclass)`. A
    function whose name is `shadowed` by one of PostgreSQL's own keeps its schema.
    """
    if "." not in definition:
        return definition

    def replace(match: re.Match[str]) -> str:
        if match["literal"]:
            return _literal(match, schemas)
        if match["operator"]:
            return match["operator"] if _bare(match["home"]) in schemas else match[0]
        if not match["dot"] or _bare(match["name"]) not in schemas:
            return match[0]
        function = (match["next"] or "").endswith("(")
        return match[0] if function and match["next"][:-1] in shadowed else ""

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
