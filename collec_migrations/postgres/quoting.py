"""Quote names and values for what no driver sends: scripts for psql, configuration. Pure."""

import re

from collec_migrations.errors import UsageError


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


def libpq_value(value: str) -> str:
    """Return `value` as a connection string takes it (manual, 34.1.1)."""
    if re.fullmatch(r"[\w./:*-]+", value, re.ASCII):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def configuration_value(value: str) -> str:
    """Return `value` as postgresql.conf takes it (manual, 19.1.2); raise `UsageError`."""
    if "\n" in value or "\0" in value:
        raise UsageError(f"a setting of the server cannot hold a line break: {value!r}")
    # Backslashes escape in these literals, whatever standard_conforming_strings says.
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
