"""Version 2.8.1 (2022-12-01): searches within names by trigrams."""

from collec_migrations.migrate import step

revision = "2.8.1"
down_revision = "2.8"


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
