"""Version 2.8 (2022-09-26): types that a collection offers, events to come."""

from collec_migrations.migrate import step

revision = "2.8"
down_revision = "2.7"
deletes = {"col.event": "event_date is null"}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
