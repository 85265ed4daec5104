"""Version 1.0.5 (2017-02): places where samples are taken."""

from collec_migrations.migrate import step

revision = "1.0.5"
down_revision = "1.0.4"


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
