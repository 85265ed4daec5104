"""What a run must not touch, told from what the schemas say of themselves. Pure."""

from collections.abc import Sequence

from collec_migrations.bridge import history
from collec_migrations.errors import NotAdopted, UnknownVersion
from collec_migrations.names import Names


def refuse_unadopted(names: Names, found: history.State) -> None:
    """Raise `NotAdopted` for schemas that hold the application's tables but no version."""
    if found.recorded is None and found.col_tables and not found.col_removed:
        raise NotAdopted(
            f"schema {names.col!r} holds {found.col_tables} tables but no version",
            hint="Run `collec-migrations detect` to see what it is, "
            "then `collec-migrations adopt`.",
        )
    if found.rights_version is None and found.gacl_tables and not found.gacl_removed:
        raise NotAdopted(
            f"the rights schema {names.gacl!r} holds {found.gacl_tables} tables but no version",
            hint="Adopt the data schema that uses it first: `collec-migrations adopt`.",
        )


def refuse_unknown(names: Names, found: history.State, versions: Sequence[str]) -> None:
    """Raise `UnknownVersion` for a schema at a version that the chain here does not have."""
    if found.recorded is not None and found.recorded not in versions:
        raise UnknownVersion(
            f"schema {names.col!r} is at version {found.recorded}, which is not known here:"
            f" the newest is {versions[-1]}",
            hint="Run this in the folder that holds the site's `collec-versions`, "
            "or wrap the application's scripts again.",
        )
