"""The removal of everything: what `downgrade base` must not meet, and how to ask for it. Pure."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from alembic.runtime.migration import RevisionStep

from collec_migrations.migrate import archive, emptiness, reference
from collec_migrations.names import Names


def is_removal(step: Any) -> bool:
    """Return whether a step leaves no version behind."""
    going_down = isinstance(step, RevisionStep) and not step.is_upgrade
    return bool(going_down and step.revision.down_revision is None)


def guard(
    pairs: Sequence[Names],
    names: Names,
    *,
    at: Mapping[str, str],
    creations: Mapping[str, tuple[str, str]],
    versions: Sequence[str],
) -> str:
    """Return the statement that fails when a user's row exists in a schema that is removed.

    `at` is the version of each schema (by role) that goes; `pairs` are all pairs of the run.
    """
    schemas = [
        emptiness.Schema(
            role=role,
            name=names.by_default_name[role],
            tables=sorted(archive.facts(version, role, "table")),
            inserts=reference.inserts(
                reference.creation(creations, versions, version)[role == "col"]
            ),
        )
        for role, version in sorted(at.items())
    ]
    return emptiness.guard(names, schemas, hint=_hint(pairs))


def _hint(pairs: Sequence[Names]) -> str:
    return (
        f"Nothing was applied. `{command(pairs)}` removes them from the schemas; "
        "the archive schemas then keep every row."
    )


def command(pairs: Sequence[Names]) -> str:
    """Return the command that removes these schemas whatever they hold."""
    words = ["alembic", "-x", "destroy=yes"]
    if tuple(pairs) != (Names(),):
        listed = ",".join(_listed(pair.col) for pair in pairs)
        words += ["-x", f"gacl={pairs[0].gacl}", "-x", f"col={listed}"]
    return shlex.join([*words, "downgrade", "base"])


def _listed(name: str) -> str:
    """Return a name as it stands in a list of schemas."""
    plain = name == name.strip() and "," not in name and not name.startswith('"')
    return name if plain else '"' + name.replace('"', '""') + '"'
