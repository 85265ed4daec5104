"""Version 26.0 (2025-11-01): several optical codes and a logo on a label."""

from collec_migrations.migrate import step

revision = "26.0"
down_revision = "25.0"
deletes = {
    "col.dbparam": "dbparam_name = 'labelDebugMode'",
    "col.label": "label_name = 'Example'",
}
changes = {"col.metadata.metadata_schema": "metadata_schema::text ~* 'n.?/a'"}
computes = ("col.label.barcode_id", "col.label.identifier_only", "col.label.label_fields")


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
