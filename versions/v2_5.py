"""Version 2.5 (2020-11-16): export templates, lots, countries, licences."""

from collec_migrations.migrate import step

revision = "2.5"
down_revision = "2.4"
deletes = {"col.export_model": "export_model_name = 'export_template'"}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
