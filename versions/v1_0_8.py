"""Version 1.0.8 (2017-06-02): the database says its own version."""

from collec_migrations.migrate import step

revision = "1.0.8"
down_revision = "1.0.6"


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
