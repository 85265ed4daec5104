"""Version 26.2 (2026-08-21): operations of samples, exports to elabFTW."""

from collec_migrations.migrate import step

revision = "26.2"
down_revision = "26.1"
deletes = {
    "col.export_dataset": "",
    "col.export_template": "export_template_name = 'elabftw'",
    "col.dataset_template": "dataset_template_name = 'elabftw'",
    "col.dataset_type": "dataset_type_id = 5",
}
creation = ("gacl_create-26.2.sql", "col_create-26.2.sql")


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
