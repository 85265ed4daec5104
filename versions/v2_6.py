"""Version 2.6 (2021-04-16): second factor of logins, unique logins in lower case."""

from collec_migrations.migrate import step

revision = "2.6"
down_revision = "2.5"
deletes = {"col.dbparam": "dbparam_name = 'otp_issuer'"}
changes = {
    "gacl.logingestion.login": "login <> lower(login)",
    "gacl.acllogin.login": "login <> lower(login)",
    "col.object.trashed": "trashed is null",
    "col.dataset_type.fields": "dataset_type_id = 1",
}


def upgrade() -> None:
    step.upgrade()


def downgrade() -> None:
    step.downgrade()
