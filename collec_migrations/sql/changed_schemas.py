"""Which of the two schemas a statement changes, so that a shared rights schema is changed once."""

import re
from collections.abc import Iterator
from typing import Any, Literal

from pglast import parse_sql

from collec_migrations.sql.statements import Statement, ascii_image, split

Role = Literal["gacl", "col"]
Path = tuple[str, ...]

ROLES: dict[str, Role] = {
    "gacl": "gacl",
    "gacl_archive": "gacl",
    "col": "col",
    "col_archive": "col",
}
"""What each schema of a script belongs to."""

_NAMED = re.compile(r"(?<![\w$])(gacl|col)(_archive)?(?![\w$])")
_PLAIN = re.compile(
    r"(?:insert\s+into|update|delete\s+from|comment\s+on\s+(?:table|column))"
    r"\s+((?:gacl|col)(?:_archive)?)\.",
    re.IGNORECASE,
)
"""The beginning of most statements: a tree would tell the same, in a hundred times the time."""
_TARGETS = (
    "relation", "view", "sequence", "into", "intoClause", "object", "objects", "relations",
    "funcname", "func", "typeName", "typevar", "defnames", "domainname", "opclassname",
    "opfamilyname", "table", "funccall", "name", "rel",
)  # fmt: skip
"""The attributes of the parser's statements that name what is created or changed."""
_OF_TABLE = ("COLUMN", "TABCONSTRAINT", "TRIGGER", "RULE", "POLICY")
"""Objects whose list of names is schema, table, own name."""


def part(sql: str, role: Role, path: Path = ()) -> str:
    """Return the statements of a script that change the schema of `role`.

    A statement that changes both belongs to the data schema; one that changes neither, such as a
    setting, to both parts. Each stays on its line, which messages and plans name.
    """
    pieces, line = list[str](), 1
    for statement, changed in with_changes(sql, path):
        if belongs(changed, role):
            pieces.append("\n" * (statement.line - line) + f"{statement.text};")
            line = statement.line + statement.text.count("\n")
    return "".join(pieces) + "\n" if pieces else ""


def belongs(changed: frozenset[Role], role: Role) -> bool:
    """Return whether a statement that changes these schemas is of the part of `role`."""
    owner = "col" if "col" in changed else "gacl"
    return not changed or owner == role


def with_changes(sql: str, path: Path = ()) -> Iterator[tuple[Statement, frozenset[Role]]]:
    """Yield the statements of a script and what each changes, following its search path."""
    for statement in split(sql):
        yield statement, changes(statement.text, path)
        path = _path_after(statement.text, path)


def search_path(sql: str, path: Path = ()) -> Path:
    """Return the search path that is in force after a script."""
    if "search_path" in sql.lower():
        for statement in split(sql):
            path = _path_after(statement.text, path)
    return path


def changes(sql: str, path: Path = ()) -> frozenset[Role]:
    """Return the schemas, `gacl` or `col`, that one statement of a script creates or changes."""
    if plain := _PLAIN.match(sql):
        return _roles(plain[1])
    tree: Any = parse_sql(ascii_image(sql))[0].stmt
    kind = type(tree).__name__
    if kind == "DoStmt":
        return _named(sql)
    if kind == "CreateSchemaStmt":
        return _roles(tree.schemaname)
    if kind == "SelectStmt" and not tree.intoClause:
        # A query changes something by what it calls, such as setval('col.x_seq', ...).
        return (_first(sql) or _looked_up(path)) if _calls(tree) else frozenset()
    if kind == "AlterDefaultPrivilegesStmt":
        return _first(sql)
    if kind in ("VariableSetStmt", "CopyStmt") and not getattr(tree, "is_from", False):
        return frozenset()
    found = next(filter(None, (list(_schemas(tree, one)) for one in _TARGETS)), [])
    if kind == "AlterObjectSchemaStmt":
        found.append(tree.newschema)
    creates = kind.startswith(("Create", "Define", "View", "Composite", "Select"))
    looked_up = _looked_up(path[:1] if creates else path)
    return frozenset(role for name in found for role in (_roles(name) if name else looked_up))


def _looked_up(path: Path) -> frozenset[Role]:
    """Return the schemas in which something without a schema may be found."""
    return frozenset(ROLES[name] for name in path if name in ROLES)


def _path_after(sql: str, path: Path) -> Path:
    """Return the search path that is in force after a statement."""
    if "search_path" not in sql.lower():
        return path
    tree: Any = parse_sql(ascii_image(sql))[0].stmt
    if type(tree).__name__ == "VariableSetStmt" and tree.name == "search_path":
        return _path([str(value.val.sval) for value in tree.args or ()])
    found = re.search(r"set_config\(\s*'search_path'\s*,\s*'([^']*)'", sql, re.IGNORECASE)
    return _path(found[1].split(",")) if found else path


def _path(names: list[str]) -> Path:
    plain = [name.strip(' "') for name in names]
    return tuple(name for name in plain if name not in ("pg_catalog", "$user"))


def _roles(name: str | None) -> frozenset[Role]:
    return frozenset({ROLES[name]}) if name in ROLES else frozenset()


def _named(sql: str) -> frozenset[Role]:
    return frozenset(ROLES[found[0]] for found in _NAMED.finditer(sql))


def _first(sql: str) -> frozenset[Role]:
    found = _NAMED.search(sql)
    return frozenset({ROLES[found[0]]}) if found else frozenset()


def _calls(select: Any) -> bool:
    calls = [one.val for one in select.targetList or () if type(one.val).__name__ == "FuncCall"]
    names = {call.funcname[-1].sval for call in calls} - {"set_config"}
    return bool(names) and (select.fromClause is None or "setval" in names)


def _schemas(tree: Any, attribute: str) -> Iterator[str | None]:
    """Yield the schemas of what an attribute names; None for a name without a schema."""
    value = getattr(tree, attribute, None)
    kind = next(
        (getattr(tree, name).name.removeprefix("OBJECT_") for name in
         ("objtype", "removeType", "objectType", "renameType") if hasattr(tree, name)), "",
    )  # fmt: skip
    if value is None or (attribute == "name" and kind != "SCHEMA"):
        return
    whole_schema = kind == "SCHEMA" or "IN_SCHEMA" in getattr(
        getattr(tree, "targtype", None), "name", ""
    )
    several = attribute in ("objects", "relations")
    for one in value if several else (value,):
        yield from _schema(one, kind, whole=whole_schema)


def _schema(node: Any, kind: str, *, whole: bool) -> Iterator[str | None]:
    """Yield the schema of one name, as the parser has it in one of several forms."""
    form = type(node).__name__
    if form in ("VacuumRelation", "IntoClause"):
        node = node.relation if form == "VacuumRelation" else node.rel
        form = "RangeVar"
    if form == "RangeVar":
        if node.relpersistence != "t":
            yield node.schemaname
        return
    names = {"ObjectWithArgs": "objname", "TypeName": "names", "FuncCall": "funcname"}.get(form)
    parts = getattr(node, names) if names else node
    parts = parts if isinstance(parts, tuple) else (parts,)
    words = [getattr(part, "sval", part) for part in parts]
    if whole:
        yield words[-1]
    elif kind not in ("EXTENSION", "ROLE", "DATABASE", "LANGUAGE", "EVENT_TRIGGER"):
        at = len(words) - (3 if kind in _OF_TABLE else 2)
        yield words[at] if at >= 0 else None
