"""Version 2.0 (2018-05-04): collections and movements."""

from collec_migrations.migrate import step

revision = "2.0"
down_revision = "1.2.3"
renames = {
    "col.storage": "movement",
    "col.storage.storage_id": "movement_id",
    "col.storage.storage_date": "movement_date",
    "col.storage.storage_comment": "movement_comment",
    "col.storage.storage_reason_id": "movement_reason_id",
    "col.storage_reason": "movement_reason",
    "col.storage_reason.storage_reason_id": "movement_reason_id",
    "col.storage_reason.storage_reason_name": "movement_reason_name",
    "col.project": "collection",
    "col.project.project_id": "collection_id",
    "col.project.project_name": "collection_name",
    "col.project_group": "collection_group",
    "col.project_group.project_id": "collection_id",
    "col.protocol.project_id": "collection_id",
    "col.sample.project_id": "collection_id",
    "col.sample.sample_date": "sampling_date",
}
deletes = {"col.dbversion": "dbversion_number <> '2.0'"}
changes = {
    "gacl.aclaco.aco": "aco in ('projet', 'collection')",
    "gacl.aclgroup.groupe": "groupe in ('projet', 'collection')",
}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
