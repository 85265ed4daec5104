"""What each view and function of a version does: the newest statement of the chain's own scripts.

The definition of a view at a version is the newest `create [or replace] view` among the creation
script of 1.0 and the upgrades up to that version. Scripts qualify all names with `gacl` or `col`.
"""

import re
from collections.abc import Iterator
from functools import cache

from collec_migrations import versions
from collec_migrations.bridge.unqualified import unqualified

_SCHEMAS = frozenset(["gacl", "col"])
_STATEMENT = re.compile(
    r"^(?:drop (?P<dropped>view|function)(?: if exists)? (?P<lost>\w+\.\w+)"
    r"|create (?:or replace )?view (?P<view>\w+\.\w+)(?:\s*\([^)]*\))? as\b(?P<query>.*?);[ \t]*$"
    r"|create (?:or replace )?function (?P<function>\w+\.\w+)"
    r"(?P<rest>.*?(?P<quote>\$\w*\$).*?(?P=quote).*?);[ \t]*$)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)


@cache
def views(version: str) -> dict[str, str]:
    """Return the query of each view of a version, with no schema's name in it; all are in col."""
    return {
        name: unqualified(text, _SCHEMAS)
        for (kind, name), text in _known(version)
        if kind == "view"
    }


@cache
def functions(version: str) -> dict[str, str]:
    """Return the statement that makes each function of a version, with the names gacl and col."""
    return {
        name: f"create or replace function col.{name}{text}"
        for (kind, name), text in _known(version)
        if kind == "function"
    }


def dependents(name: str, queries: dict[str, str]) -> list[str]:
    """Return the views whose queries read a view, those that must be dropped first in front."""
    found: list[str] = []
    for other, query in queries.items():
        if other != name and re.search(rf"\b{re.escape(name)}\b", query):
            found += [*dependents(other, queries), other]
    return list(dict.fromkeys(found))


def reads(query: str, table: str) -> bool:
    """Say whether a query names a table."""
    return re.search(rf"\b{re.escape(table)}\b", query) is not None


@cache
def _known(version: str) -> tuple[tuple[tuple[str, str], str], ...]:
    found: dict[tuple[str, str], str] = {}
    for script in _scripts(version):
        for match in _STATEMENT.finditer(script):
            if match["dropped"]:
                found.pop((match["dropped"].lower(), match["lost"].partition(".")[2]), None)
            elif match["view"]:
                found["view", match["view"].partition(".")[2]] = match["query"].strip()
            else:
                found["function", match["function"].partition(".")[2]] = match["rest"]
    return tuple(found.items())


def _scripts(version: str) -> Iterator[str]:
    folder = versions.scripts_folder()
    yield (folder / "col_create-1.0.sql").read_text("utf-8")
    for older, newer in versions.steps():
        path = folder / f"upgrade-{older}-{newer}.sql"
        if versions.order(newer) <= versions.order(version) and path.is_file():
            yield path.read_text("utf-8")
