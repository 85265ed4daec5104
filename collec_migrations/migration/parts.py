"""The part of a script that changes one of the two schemas."""

from typing import Literal

from collec_migrations.scripts import roles

Role = Literal["gacl", "col"]


def part(sql: str, role: Role) -> str:
    """Return the statements of a script that change the schema of `role`.

    A statement that changes both, such as a foreign key into the rights schema, belongs to the
    data schema; one that changes neither, such as a setting, to both parts.
    """
    chosen = (statement for statement, changed in roles.with_changes(sql) if belongs(changed, role))
    return "".join(f"{statement.text};\n" for statement in chosen)


def belongs(changed: frozenset[str], role: Role) -> bool:
    """Return whether a statement that changes these schemas is of the part of `role`."""
    owner = "col" if "col" in changed else "gacl"
    return not changed or owner == role
