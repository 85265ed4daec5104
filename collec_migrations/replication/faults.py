"""What can be in the way of a standby, one class for each thing a user can act on."""

from collec_migrations.errors import MigrationError


class ReplicationFailed(MigrationError):
    """A step on the way to a standby did not succeed; what was begun is taken back."""


class ReplicationRefused(MigrationError):
    """Going on would lose something, or cannot succeed; nothing was touched."""


class ManagedElsewhere(ReplicationRefused):
    """Patroni, repmgr or pg_auto_failover is in charge here: we only read."""
