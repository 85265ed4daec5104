"""Version 1.1 (2017-09-01): metadata in one document, printers, lost passwords."""

from collec_migrations.migrate import step

revision = "1.1"
down_revision = "1.0.8"
script = "upgrade-1.0.8-1.1.sql"
creation = ("gacl_create-1.1.sql", "col_create-1.1.sql")
reverse = "downgrade-1.1-1.0.8.sql"


def upgrade() -> None:
    step.apply(script)


def downgrade() -> None:
    step.revert(reverse)
