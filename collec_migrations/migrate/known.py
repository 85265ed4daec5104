"""What the versions of the chain are known to hold, by tables and columns."""

from collec_migrations import versions


def tables(version: str | None, role: str) -> frozenset[str]:
    """Return the names of the tables that the schema of a role has; None: nothing is installed."""
    return frozenset(
        name for fact_role, kind, name, _ in _facts(version) if (fact_role, kind) == (role, "table")
    )


def columns(version: str | None, role: str) -> dict[tuple[str, str], str]:
    """Return the definitions of the columns of a role's tables, by (table, column)."""
    return {
        (table, column): definition
        for fact_role, kind, name, definition in _facts(version)
        if (fact_role, kind) == (role, "column")
        for table, _, column in (name.partition("."),)
    }


def _facts(version: str | None) -> frozenset[tuple[str, str, str, str]]:
    return versions.upgraded(version).facts if version else frozenset()
