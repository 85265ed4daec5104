"""What a script may change of its session, saved before it and put back after it. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from collec_migrations.names import Names
from collec_migrations.postgres import quoting
from collec_migrations.scripts import trees
from collec_migrations.wrapping.script import DEFAULT_PATH, Item

ALWAYS = (
    *("search_path", "check_function_bodies", "client_min_messages", "lock_timeout"),
    *("statement_timeout", "default_tablespace", "TimeZone", "DateStyle", "bytea_output"),
)
"""Settings that any role may set, and that a function of a script may have set."""

_PREFIX = "collec_saved"


def settings(items: Sequence[Item]) -> tuple[str, ...]:
    """Return the settings to put back after a script, in the order in which to do so."""
    named = {name for item in items for name in _named(item.tree)}
    others = sorted(
        name
        for name in named - {known.lower() for known in ALWAYS} - {"role", "session_authorization"}
        if "." not in name
    )
    first = ["session_authorization"] if "session_authorization" in named else []
    return (*first, "role", *ALWAYS, *others)


def saving(names: Sequence[str]) -> str:
    """Return the statement that keeps settings, in settings of the tool's own."""
    return _setting(names, target=lambda name: f"{_PREFIX}.{name}", source=lambda name: name)


def restoring(names: Sequence[str]) -> str:
    """Return the statement that puts the kept settings back."""
    return _setting(names, target=lambda name: name, source=lambda name: f"{_PREFIX}.{name}")


def path(names: Names) -> str:
    """Return the path for a script that may set none."""
    bound = names.by_default_name
    return ", ".join(quoting.identifier(bound.get(name, name)) for name in DEFAULT_PATH)


def starting_path(names: Names) -> str:
    """Return the statement that sets the path for a script that may set none."""
    return f"set search_path = {path(names)};"


def reaching(extensions: Sequence[str]) -> str:
    """Return the statement that adds the schemas of extensions to the end of the path.

    So operators and their classes are found wherever an extension was put; what the script
    itself names is found first as before.
    """
    listed = ", ".join(quoting.literal(name) for name in extensions)
    return (
        "select pg_catalog.set_config('search_path', current_setting('search_path')"
        " || string_agg(', ' || quote_ident(home), '' order by home), false)"
        " from (select distinct n.nspname as home from pg_catalog.pg_extension x"
        " join pg_catalog.pg_namespace n on n.oid = x.extnamespace"
        f" where x.extname in ({listed}) and n.nspname <> 'pg_catalog'"
        " and n.nspname <> all (current_schemas(false))) homes"
        " having count(*) > 0 and current_setting('search_path') not in ('', '\"\"');"
    )


def changes_path(item: Item) -> bool:
    """Say whether the path, or what it should reach, is another after a statement."""
    kind = type(item.tree).__name__
    if kind == "CreateExtensionStmt":
        return True
    return "search_path" in _named(item.tree) or (
        kind == "VariableSetStmt" and item.tree.kind.name == "VAR_RESET_ALL"
    )


def _named(tree: Any) -> frozenset[str]:
    """Return the settings that a statement names: by SET, RESET or a call of set_config()."""
    if type(tree).__name__ == "VariableSetStmt":
        return frozenset({(tree.name or "").lower()} - {""})
    if type(tree).__name__ != "SelectStmt":
        return frozenset()
    return frozenset(_called(tree))


def _called(tree: Any) -> Iterator[str]:
    for place in trees.places((tree,), bool):
        at = place.at
        if place.constant and at.slot == ("FuncCall", "args") and at.index == 0:
            name = at.node.funcname[-1].sval
            if name == "set_config":
                yield place.text.lower()


def _setting(names: Sequence[str], *, target: Any, source: Any) -> str:
    calls = ", ".join(
        f"pg_catalog.set_config({quoting.literal(target(name))},"
        f" current_setting({quoting.literal(source(name))}), false)"
        for name in names
    )
    return f"select {calls};"
