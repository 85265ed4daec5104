"""Settings in which a standby may not be below its primary, or it stops replaying. Pure.

What counts is the primary's running value, which its own files need not have yet (facts 1.2).
"""

from collections.abc import Mapping

from collec_migrations.postgres import pg_versions

ALL = (
    "max_connections",
    "max_prepared_transactions",
    "max_locks_per_transaction",
    "max_worker_processes",
)
SENDERS = "max_wal_senders"
SENDERS_SINCE = "12"


def names(major: str) -> tuple[str, ...]:
    """Return the guarded settings of a major."""
    counted = pg_versions.KNOWN.index(major) >= pg_versions.KNOWN.index(SENDERS_SINCE)
    return (*ALL, SENDERS) if counted else ALL


def raised(primary: Mapping[str, int], standby: Mapping[str, int]) -> dict[str, str]:
    """Return the settings to raise on a standby, with the primary's values."""
    return {name: str(value) for name, value in primary.items() if standby[name] < value}
