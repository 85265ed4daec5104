"""What a revision does: upgrade to its version, create it, go back from it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from alembic import op

if TYPE_CHECKING:  # `alembic history` reads every revision, and takes no step
    from collec_migrations.migrate.run import Run


def upgrade() -> None:
    """Upgrade to the revision's version by its scripts of `legacy_sql`."""
    _run().upgrade()


def create() -> None:
    """Create both schemas at the revision's version; one that exists is only stepped up."""
    _run().create()


def downgrade() -> None:
    """Go back from the revision's version by its scripts of `legacy_sql`."""
    _run().downgrade()


def apply_wrapped(script: str, checksum: str, variables: Mapping[str, str] | None = None) -> None:
    """Upgrade by a script of the application's own, which lies beside the revision."""
    _run().upgrade_wrapped(script, checksum, variables or {})


def refuse_downgrade(script: str) -> None:
    """Refuse to go back: the application's own script has no way back."""
    from collec_migrations.migrate import wrapped_step

    raise wrapped_step.no_way_back(script)


def _run() -> "Run":
    """Return the run that this step belongs to: env.py hands it to Alembic's context."""
    run: Run = op.get_context().opts["collec_run"]()
    return run
