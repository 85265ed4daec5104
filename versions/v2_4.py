"""Version 2.4 (2020-03-01): uuids, positions, campaigns and requests."""

from collec_migrations.migrate import step

revision = "2.4"
down_revision = "2.3"
deletes = {"col.document": "uid is null"}
changes = {"gacl.logingestion.is_clientws": "is_clientws is null"}
computes = ("col.object.geom",)


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
