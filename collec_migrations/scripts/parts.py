"""The part of a script that changes one of the two schemas."""

from typing import Literal

from collec_migrations.scripts import roles

Role = Literal["gacl", "col"]


def part(sql: str, role: Role) -> str:
    """Return the statements of a script that change the schema of `role`.

    A statement that changes both, such as a foreign key into the rights schema, belongs to the
    data schema; one that changes neither, such as a setting, to both parts. Each stays on its
    line, which messages and plans name.
    """
    text = ""
    for statement, changed in roles.with_changes(sql):
        if belongs(changed, role):
            gap = statement.line - 1 - text.count("\n")
            text += "\n" * gap + f"{statement.text};"
    return f"{text}\n" if text else ""


def belongs(changed: frozenset[str], role: Role) -> bool:
    """Return whether a statement that changes these schemas is of the part of `role`."""
    owner = "col" if "col" in changed else "gacl"
    return not changed or owner == role
