-- The state of one node of a replication; a name in braces is that of the server's major.
select current_setting('server_version_num')::int,
    current_setting('server_version'),
    pg_is_in_recovery(),
    {system_identifier},
    case
        when pg_is_in_recovery() then {standby_timeline}
        else ('x' || substr({fn_walfile_name}({fn_current_lsn}()), 1, 8))::bit(32)::int
    end,
    case when pg_is_in_recovery() then null else {fn_current_lsn}()::text end,
    {fn_receive_lsn}()::text,
    {fn_replay_lsn}()::text,
    case when pg_is_in_recovery() then {fn_replay_paused}() else false end,
    extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8,
    extract(epoch from clock_timestamp())::float8,
    extract(epoch from pg_postmaster_start_time())::bigint
