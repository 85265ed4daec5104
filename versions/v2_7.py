"""Version 2.7 (2022-06-20): optical codes of labels, storage outside the database."""

from collec_migrations.migrate import step

revision = "2.7"
down_revision = "2.6"
changes = {
    "col.request.body": "",
    "col.dataset_type.fields": "dataset_type_id = 1",
}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
