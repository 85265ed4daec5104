"""Version 1.2 (2017-10-20): parameters in the database, keys of metadata in English."""

from collec_migrations.migrate import step

revision = "1.2"
down_revision = "1.1"
changes = {"col.metadata.metadata_schema": ""}
fills = {"APPLI_code": "code"}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
