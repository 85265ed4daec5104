"""Version 26.1 (2026-04-01): risks and products as tables, history of samples."""

from collec_migrations.migrate import step

revision = "26.1"
down_revision = "26.0"
changes = {"col.dataset_type.fields": "dataset_type_id = 1 or dataset_type_name = 'sample'"}
computes = ("col.container_type.clp_classification", "col.container_type.storage_product")


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
