"""Version 1.0.8 (2017-06-02): the database says its own version."""

from collec_migrations.migrate import step

revision = "1.0.8"
down_revision = "1.0.6"
script = "upgrade-1.0.6-1.0.8.sql"
reverse = "downgrade-1.0.8-1.0.6.sql"


def upgrade() -> None:
    step.apply(script)


def downgrade() -> None:
    step.revert(reverse)
