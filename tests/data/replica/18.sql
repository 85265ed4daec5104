-- The state of one node of a replication; a name in braces is that of the server's major.
select current_setting('server_version_num')::int,
    current_setting('server_version'),
    pg_is_in_recovery(),
    (select system_identifier::text from pg_control_system()),
    case
        when pg_is_in_recovery() then (select greatest(c.timeline_id, r.min_recovery_end_timeline) from pg_control_checkpoint() c, pg_control_recovery() r)
        else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
    end,
    case when pg_is_in_recovery() then null else pg_current_wal_lsn()::text end,
    pg_last_wal_receive_lsn()::text,
    pg_last_wal_replay_lsn()::text,
    case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end,
    extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8,
    extract(epoch from clock_timestamp())::float8,
    extract(epoch from pg_postmaster_start_time())::bigint;

-- What a standby receives; all is null but the row itself for a role without pg_monitor.
select status,
    received_tli,
    extract(epoch from clock_timestamp() - last_msg_receipt_time)::float8,
    slot_name::text,
    conninfo
from pg_stat_wal_receiver
where pid is not null;

-- Who receives from a server; the state is null for a role without pg_monitor.
select pid,
    application_name,
    client_addr::text,
    state,
    sync_state,
    sent_lsn::text,
    replay_lsn::text,
    extract(epoch from reply_time)::float8
from pg_stat_replication
order by application_name, pid;

-- The slots of a server, physical and logical.
select slot_name::text,
    slot_type,
    active,
    active_pid,
    restart_lsn::text,
    wal_status,
    invalidation_reason
from pg_replication_slots
order by slot_name;

select pg_wal_replay_resume();
