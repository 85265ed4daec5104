"""Version ${up_revision}: ${message}."""

from collec_migrations.migrate import step

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
script = "upgrade-${down_revision}-${up_revision}.sql"
reverse = "downgrade-${up_revision}-${down_revision}.sql"


def upgrade() -> None:
    step.apply(script)


def downgrade() -> None:
    step.revert(reverse)
