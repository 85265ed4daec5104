-- The state of one node of a replication; a name in braces is that of the server's major.
select current_setting('server_version_num')::int,
    current_setting('server_version'),
    pg_is_in_recovery(),
    null::text,
    case
        when pg_is_in_recovery() then null::int
        else ('x' || substr(pg_xlogfile_name(pg_current_xlog_location()), 1, 8))::bit(32)::int
    end,
    case when pg_is_in_recovery() then null else pg_current_xlog_location()::text end,
    pg_last_xlog_receive_location()::text,
    pg_last_xlog_replay_location()::text,
    case when pg_is_in_recovery() then pg_is_xlog_replay_paused() else false end,
    extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8,
    extract(epoch from clock_timestamp())::float8,
    extract(epoch from pg_postmaster_start_time())::bigint;

-- no view tells what a standby receives;

-- Who receives from a server; the state is null for a role without pg_monitor.
select pid,
    application_name,
    client_addr::text,
    state,
    sync_state,
    sent_location::text,
    replay_location::text,
    null::float8
from pg_stat_replication
order by application_name, pid;

-- The slots of a server, physical and logical.
select slot_name::text,
    slot_type,
    active,
    null::int,
    restart_lsn::text,
    null::text,
    null::text
from pg_replication_slots
order by slot_name;

select pg_xlog_replay_resume();
