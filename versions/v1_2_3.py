"""Version 1.2.3 (2017-11-22): the right to import, searches within identifiers."""

from collec_migrations.migrate import step

revision = "1.2.3"
down_revision = "1.2"
deletes = {
    "gacl.aclacl": "",
    "gacl.aclaco": "aco = 'import'",
    "gacl.aclgroup": "groupe = 'import'",
}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
