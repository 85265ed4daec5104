"""Version 1.0.6 (2017-03): origin of imported samples, location of a storage."""

from collec_migrations.migrate import step

revision = "1.0.6"
down_revision = "1.0.5"
renames = {"col.storage.range": "storage_location"}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
