"""Version 2.3 (2019-08-14): loans, authorizations of protocols."""

from collec_migrations.migrate import step

revision = "2.3"
down_revision = "2.2"
deletes = {"col.object_status": "object_status_id = 6"}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
