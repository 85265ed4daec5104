"""Version 1.0.5 (2017-02): places where samples are taken."""

from collec_migrations.migrate import step

revision = "1.0.5"
down_revision = "1.0.4"
script = "upgrade-1.0.4-1.0.5.sql"
reverse = "downgrade-1.0.5-1.0.4.sql"


def upgrade() -> None:
    step.apply(script)


def downgrade() -> None:
    step.revert(reverse)
