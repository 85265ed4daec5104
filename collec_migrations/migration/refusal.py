"""What a run must not touch, told from what the schemas say of themselves. Pure."""

from collec_migrations.database.state import State
from collec_migrations.errors import NotAdopted
from collec_migrations.names import Names


def refuse_unadopted(names: Names, found: State) -> None:
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
