"""Quote names and values for SQL text that no driver sends: scripts for psql. Pure."""


def identifier(name: str) -> str:
    """Return `name` as a quoted identifier (PostgreSQL manual, 4.1.1)."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | None) -> str:
    """Return `value` as a literal that means the same whatever standard_conforming_strings is."""
    if value is None:
        return "null"
    text = value.replace("'", "''")
    if "\\" not in text:
        return f"'{text}'"
    return "E'" + text.replace("\\", "\\\\") + "'"
