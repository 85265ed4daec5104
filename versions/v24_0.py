"""Version 24.0 (2024-01-02): last movements, notifications, parameters described."""

from collec_migrations.migrate import step

revision = "24.0"
down_revision = "2.8.1"
deletes = {
    "col.dbparam": "dbparam_name in ('containerNameUnique', 'consultSeesAll',"
    " 'notificationDelay', 'notificationLastDate')"
}
computes = ("col.object.last_movement_id",)


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
