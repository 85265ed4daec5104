"""Version 2.1 (2018-07-03): the title of the application is a parameter."""

from collec_migrations.migrate import step

revision = "2.1"
down_revision = "2.0"
deletes = {"col.dbparam": "dbparam_name = 'APPLI_title'"}
fills = {"APPLI_title": "title"}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
