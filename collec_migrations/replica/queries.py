"""The questions to a node, with the names of its major. Pure."""

from collec_migrations.postgres import pg_versions
from collec_migrations.postgres.queries import statement

SETTINGS = (
    "data_directory",
    "config_file",
    "hot_standby",
    "listen_addresses",
    "max_slot_wal_keep_size",
    "port",
    "primary_conninfo",
    "primary_slot_name",
    "synchronous_standby_names",
    "wal_receiver_status_interval",
    "wal_receiver_timeout",
)


def node(major: str) -> str:
    """Return the query for the state of a node."""
    control = pg_versions.text("fn_control", major) is not None
    names = {
        "system_identifier": "(select system_identifier::text from pg_control_system())"
        if control
        else "null::text",
        "standby_timeline": "(select greatest(c.timeline_id, r.min_recovery_end_timeline)"
        " from pg_control_checkpoint() c, pg_control_recovery() r)"
        if control
        else "null::int",
    }
    functions = ("current_lsn", "receive_lsn", "replay_lsn", "walfile_name", "replay_paused")
    names |= {f"fn_{name}": pg_versions.text(f"fn_{name}", major) or "" for name in functions}
    return statement("replica_node").format(**names)


def receiver(major: str) -> str | None:
    """Return the query for what a standby receives, None where no view tells it."""
    known = pg_versions.text("stat_wal_receiver", major) is not None
    return statement("replica_receiver") if known else None


def senders(major: str) -> str:
    """Return the query for who receives from a node."""
    position = (pg_versions.text("stat_repl_lsn_suffix", major) or "").removeprefix("_")
    reply = pg_versions.holds("stat_repl_reply_time", major)
    reply_time = "extract(epoch from reply_time)::float8" if reply else "null::float8"
    return statement("replica_senders").format(position=position, reply_time=reply_time)


def slots(major: str) -> str:
    """Return the query for the slots of a node."""
    columns = {
        "active_pid": ("slots_active_pid", "null::int"),
        "wal_status": ("slots_wal_status", "null::text"),
        "invalidation_reason": ("slots_invalidation_reason", "null::text"),
    }
    names = {
        column: column if pg_versions.holds(known, major) else absent
        for column, (known, absent) in columns.items()
    }
    return statement("replica_slots").format(**names)


def resume(major: str) -> str:
    """Return the function that lets replay go on."""
    return (
        (pg_versions.text("fn_replay_paused", major) or "")
        .replace("is_", "")
        .replace("paused", "resume")
    )
