"""Version 25.0 (2024-09-18): samples made of subsamples, unique parameters, the right manage."""

from collec_migrations.migrate import step

revision = "25.0"
down_revision = "24.1"
changes = {
    "gacl.aclaco.aco": "aco in ('gestion', 'manage')",
    "gacl.aclgroup.groupe": "groupe in ('gestion', 'manage')",
    "col.dataset_type.fields": "strpos(fields::text, 'trashed,campaign_id') > 0",
}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
