"""Version 1.0.4 (2017-01): a movement out of a container is the last one, too."""

from collec_migrations.migrate import step

revision = "1.0.4"
down_revision = "1.0"
script = "upgrade-1.0-1.0.4.sql"
reverse = "downgrade-1.0.4-1.0.sql"


def upgrade() -> None:
    step.apply(script)


def downgrade() -> None:
    step.revert(reverse)
