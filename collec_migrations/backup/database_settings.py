"""Bring back what belongs to a database and is not in it: settings, rights, comment."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from psycopg2 import sql

from collec_migrations.backup import dump
from collec_migrations.backup.contents import Surroundings
from collec_migrations.backup.store import Backup
from collec_migrations.postgres import files

QUOTED_LISTS = (
    "search_path",
    "temp_tablespaces",
    "session_preload_libraries",
    "shared_preload_libraries",
    "local_preload_libraries",
    "unix_socket_directories",
)
"""Settings whose value is stored as SQL has it (GUC_LIST_QUOTE in PostgreSQL's source)."""


def read(backup: Backup) -> Surroundings:
    """Return what a backup knows of its database's surroundings."""
    found: dict[str, Any] = json.loads(files.read(backup.path / dump.DATABASE))
    grants = found["grants"]
    return Surroundings(
        name=found["name"],
        owner=found["owner"],
        comment=found["comment"],
        settings=tuple((role, setting) for role, setting in found["settings"]),
        grants=None if grants is None else tuple((who, what, more) for who, what, more in grants),
    )


def statements(
    around: Surroundings, database: str, renamed: Mapping[str, str]
) -> Iterator[sql.Composable]:
    """Yield the statements that give a database its settings, rights and comment."""
    name = sql.Identifier(database)
    for role, setting in around.settings:
        variable, _, text = setting.partition("=")
        yield sql.SQL("alter {} set {} to {}").format(
            sql.SQL("role {} in database {}").format(sql.Identifier(role), name)
            if role
            else sql.SQL("database {}").format(name),
            sql.SQL(".").join(map(sql.Identifier, variable.split("."))),
            _value(variable, text, renamed),
        )
    if around.comment:
        yield sql.SQL("comment on database {} is {}").format(name, sql.Literal(around.comment))
    if around.grants is not None:
        yield sql.SQL("revoke all on database {} from public").format(name)
    for grantee, privilege, grantable in around.grants or ():
        yield sql.SQL("grant {} on database {} to {}{}").format(
            sql.SQL(privilege),
            name,
            sql.Identifier(grantee) if grantee else sql.SQL("public"),
            sql.SQL(" with grant option" if grantable else ""),
        )


def _value(variable: str, text: str, renamed: Mapping[str, str]) -> sql.Composable:
    if variable not in QUOTED_LISTS:
        return sql.Literal(text)
    if variable != "search_path":
        return sql.SQL(text.replace("{", "{{").replace("}", "}}"))
    names = [renamed.get(name, name) for name in _split(text)]
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _split(text: str) -> list[str]:
    """Return the names of a search path as PostgreSQL stores it."""
    names, rest = [], text.strip()
    while rest:
        if rest.startswith('"'):
            end = 1
            while rest[end : end + 2] == '""' or rest[end] != '"':
                end += 2 if rest[end : end + 2] == '""' else 1
            names.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :].lstrip(" ,")
        else:
            name, _, rest = rest.partition(",")
            names.append(name.strip())
            rest = rest.strip()
    return names
