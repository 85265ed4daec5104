-- Who receives from a server; the state is null for a role without pg_monitor.
select pid,
    application_name,
    client_addr::text,
    state,
    sync_state,
    sent_{position}::text,
    replay_{position}::text,
    {reply_time}
from pg_stat_replication
order by application_name, pid
