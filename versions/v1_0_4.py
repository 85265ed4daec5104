"""Version 1.0.4 (2017-01): a movement out of a container is the last one, too."""

from collec_migrations.migrate import step

revision = "1.0.4"
down_revision = "1.0"


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
