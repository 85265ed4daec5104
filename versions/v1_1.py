"""Version 1.1 (2017-09-01): metadata in one document, printers, lost passwords."""

from collec_migrations.migrate import step

revision = "1.1"
down_revision = "1.0.8"
creation = ("gacl_create-1.1.sql", "col_create-1.1.sql")


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
