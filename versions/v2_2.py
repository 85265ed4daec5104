"""Version 2.2 (2018-09-06): persons to ask about objects and collections, the map."""

from collec_migrations.migrate import step

revision = "2.2"
down_revision = "2.1"
deletes = {"col.dbparam": "dbparam_name in ('mapDefaultX', 'mapDefaultY', 'mapDefaultZoom')"}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
