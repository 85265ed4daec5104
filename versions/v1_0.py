"""Version 1.0 (2016-10): the first schemas, gacl (rights) and col (data)."""

from collec_migrations.migrate import step

revision = "1.0"
down_revision = None
creation = ("gacl_create-1.0.sql", "col_create-1.0.sql")


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
