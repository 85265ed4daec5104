"""Version 24.1 (2024-01-31): groups of campaigns, documents of events, languages."""

from collec_migrations.migrate import step

revision = "24.1"
down_revision = "24.0"


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
