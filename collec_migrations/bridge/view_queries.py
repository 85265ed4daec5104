"""The query of each view of a version, as the scripts of this package create it."""

import re
from collections.abc import Mapping
from pathlib import Path

from collec_migrations import versions
from collec_migrations import versions as releases
from collec_migrations.bridge.unqualified import unqualified

_SCHEMAS = frozenset(["gacl", "col"])
_VIEW = re.compile(
    r"^create (?:or replace )?view col\.(\w+)(?:\s*\([^)]*\))? as\b(.*?);[ \t]*$",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)


def queries(version: str, *, folder: Path | None = None) -> Mapping[str, str]:
    """Return the queries of a version's views, with no schema's name in them.

    Empty for a version that no script of this package makes.
    """
    place = folder or versions.scripts_folder()
    steps = [place / "col_create-1.0.sql"]
    for older, newer in releases.steps():
        if releases.position(newer) <= releases.position(version):
            steps.append(place / f"upgrade-{older}-{newer}.sql")
    if not all(path.exists() for path in steps):
        return {}
    found: dict[str, str] = {}
    for path in steps:
        found |= created(path.read_text(encoding="utf-8"))
    return found


def created(script: str) -> Mapping[str, str]:
    """Return the queries of the views that a script creates."""
    return {name: unqualified(query.strip(), _SCHEMAS) for name, query in _VIEW.findall(script)}
