"""Version 1.0.6 (2017-03): origin of imported samples, location of a storage."""

from collec_migrations.migrate import step

revision = "1.0.6"
down_revision = "1.0.5"
script = "upgrade-1.0.5-1.0.6.sql"
reverse = "downgrade-1.0.6-1.0.5.sql"


def upgrade() -> None:
    step.apply(script)


def downgrade() -> None:
    step.revert(reverse)
