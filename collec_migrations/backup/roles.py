"""The roles that a backup needs: read by PostgreSQL's own parser, never line by line.

globals.sql and the archive are text that the roles of a server wrote a part of: an application_name
may hold a line break and a statement. What is run of them is put together here, from what the
parser found: roles and attributes of the kinds named below, and nothing else.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pglast import ast, parser
from pglast.visitors import Visitor
from psycopg2 import extensions, sql

from collec_migrations.backup import store
from collec_migrations.backup.store import Backup
from collec_migrations.errors import NotABackup
from collec_migrations.postgres import files

RESTRICT = re.compile(r"^\\(un)?restrict [A-Za-z0-9]+$", re.MULTILINE)
"""What pg_dumpall writes around its statements from August 2025 on (CVE-2025-8714)."""
ATTRIBUTES = {"inherit": "inherit", "canlogin": "login"}
PRIVILEGES = ("superuser", "createrole", "createdb", "isreplication", "bypassrls")
"""What no role gets from a backup."""
OWN_SETTINGS = ("user", "backend")
"""Contexts of the settings that a role may give itself: only these are brought back."""


@dataclass(slots=True, kw_only=True)
class Role:
    """A role as globals.sql has it."""

    name: str
    attributes: dict[str, bool] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)
    limit: int = -1
    valid_until: str | None = None
    settings: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    member_of: list[tuple[str, bool]] = field(default_factory=list)
    """Granted role, and whether with admin option."""

    @property
    def privileges(self) -> tuple[str, ...]:
        """Return the privileges that it had and does not get back."""
        return tuple(name for name in PRIVILEGES if self.attributes.get(name))


def read(backup: Backup) -> dict[str, Role]:
    """Return the roles of the server, by name; raise `NotABackup` for what does not parse."""
    return parse(files.read(backup.path / store.GLOBALS).decode())


@cache
def parse(text: str) -> dict[str, Role]:
    """Return the roles that the text of a globals.sql makes."""
    found: dict[str, Role] = {}
    for tree in statements(text):
        match type(tree).__name__:
            case "CreateRoleStmt":
                found.setdefault(tree.role, Role(name=tree.role))
            case "AlterRoleStmt" if tree.role.rolename in found:
                _alter(found[tree.role.rolename], tree.options or ())
            case "AlterRoleSetStmt" if not tree.database and tree.role is not None:
                if tree.role.rolename in found and tree.setstmt.args:
                    values = tuple(_text(one) for one in tree.setstmt.args)
                    found[tree.role.rolename].settings.append((tree.setstmt.name, values))
            case "GrantRoleStmt" if tree.is_grant:
                admin = any(one.defname == "admin" for one in tree.opt or ())
                for grantee in tree.grantee_roles:
                    if grantee.rolename in found:
                        granted = [(one.priv_name, admin) for one in tree.granted_roles]
                        found[grantee.rolename].member_of += granted
    return found


def named_in(script: str) -> set[str]:
    """Return the roles that the statements of a dump without rows name, wherever they do."""
    found: set[str] = set()

    class Names(Visitor):
        def visit_RoleSpec(self, _: Any, node: Any) -> None:  # noqa: N802  (as pglast calls it)
            if node.rolename:
                found.add(node.rolename)

    for tree in statements(script):
        Names()(tree)
    return found


def schemas_in(script: str) -> set[str]:
    """Return the schemas that the statements of a dump create."""
    return {
        tree.schemaname for tree in statements(script) if type(tree).__name__ == "CreateSchemaStmt"
    } - {None}


def closure(roles: Mapping[str, Role], names: Collection[str]) -> frozenset[str]:
    """Return the roles of the server among these names, with their groups and their members."""
    found = {name for name in names if name in roles}
    while True:
        groups = {group for name in found for group, _ in roles[name].member_of if group in roles}
        members = {
            name for name, role in roles.items() if found & {group for group, _ in role.member_of}
        }
        more = (groups | members) - found
        if not more:
            return frozenset(found)
        found |= more


def missing(cursor: extensions.cursor, names: Collection[str]) -> tuple[str, ...]:
    """Return those of the roles that the server has not, in order."""
    cursor.execute("select rolname from pg_catalog.pg_roles")
    there = {str(name) for (name,) in cursor.fetchall()}
    return tuple(sorted(name for name in names if name not in there))


def creation(
    cursor: extensions.cursor, roles: Mapping[str, Role], names: Collection[str]
) -> Iterator[tuple[sql.Composable | None, str]]:
    """Yield statements that make roles as they were, and what is to be told of what is left out.

    Memberships are brought back among the roles that are made: a membership in a role that is
    there already would give rights that this server never gave.
    """
    cursor.execute("select name from pg_catalog.pg_settings where context = any(%s)",
                   (list(OWN_SETTINGS),))  # fmt: skip
    own = {str(name) for (name,) in cursor.fetchall()}
    for name in names:
        role = roles.get(name, Role(name=name))
        yield _create(role), ""
        for privilege in role.privileges:
            yield None, f"role {name!r} was {privilege}, which no backup brings back"
        for setting, values in role.settings:
            if setting not in own:
                yield None, f"left out: the setting {setting} of role {name!r}"
                continue
            parts = sql.SQL(", ").join(map(sql.Literal, values))
            yield (
                sql.SQL("alter role {} set {} to {}").format(
                    sql.Identifier(name),
                    sql.SQL(".").join(map(sql.Identifier, setting.split("."))),
                    parts,
                ),
                "",
            )
    for name in names:
        for granted, admin in roles[name].member_of if name in roles else ():
            if granted not in names:
                yield None, f"left out: membership of {name!r} in {granted!r}"
                continue
            text = "grant {} to {} with admin option" if admin else "grant {} to {}"
            yield sql.SQL(text).format(sql.Identifier(granted), sql.Identifier(name)), ""


def _create(role: Role) -> sql.Composable:
    words: list[sql.Composable] = [sql.SQL("create role {}").format(sql.Identifier(role.name))]
    for name, word in ATTRIBUTES.items():
        if name in role.attributes:
            words.append(sql.SQL(word if role.attributes[name] else f"no{word}"))
    if role.limit >= 0:
        words.append(sql.SQL("connection limit {}").format(sql.Literal(role.limit)))
    if role.password is not None:
        words.append(sql.SQL("password {}").format(sql.Literal(role.password)))
    if role.valid_until is not None:
        words.append(sql.SQL("valid until {}").format(sql.Literal(role.valid_until)))
    return sql.SQL(" ").join(words)


def _alter(role: Role, options: Collection[Any]) -> None:
    for option in options:
        value = option.arg
        match option.defname:
            case "password":
                role.password = value.sval if value else None
            case "connectionlimit":
                role.limit = int(value.ival)
            case "validUntil":
                role.valid_until = value.sval
            case name if isinstance(value, ast.Boolean):
                role.attributes[name] = bool(value.boolval)


def _text(node: Any) -> str:
    value = getattr(node, "val", node)
    for name in ("sval", "ival", "fval", "boolval"):
        if getattr(value, name, None) is not None:
            return str(getattr(value, name))
    return ""


def statements(text: str) -> Iterator[Any]:
    """Yield the syntax trees of a text, statement by statement; what a newer server wrote and
    this parser does not know is left out: it makes no role."""
    try:
        parts = parser.split(RESTRICT.sub("", text), with_parser=False)
    except parser.ParseError as error:
        raise NotABackup(f"the statements of the backup cannot be read: {error}") from None
    from pglast import parse_sql

    for part in parts:
        try:
            yield from (raw.stmt for raw in parse_sql(part))
        except parser.ParseError:
            continue
