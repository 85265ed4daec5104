"""Upgrade and downgrade for callers that are not `alembic`: one function each."""

from collections.abc import Callable, Mapping

from alembic import command

from collec_migrations.migration.configuration import alembic_config, errors_unwrapped


def upgrade(options: Mapping[str, str], version: str, *, say: Callable[[str], None]) -> None:
    """Bring the database to `version` (exact, or head); raise `MigrationError` if it cannot be."""
    with errors_unwrapped():
        command.upgrade(alembic_config(options, say=say), version)


def downgrade(options: Mapping[str, str], version: str, *, say: Callable[[str], None]) -> None:
    """Take the database back to `version`; raise `MigrationError` if it cannot be."""
    with errors_unwrapped():
        command.downgrade(alembic_config(options, say=say), version)
