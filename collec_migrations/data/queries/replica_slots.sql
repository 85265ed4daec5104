-- The slots of a server, physical and logical.
select slot_name::text,
    slot_type,
    active,
    {active_pid},
    restart_lsn::text,
    {wal_status},
    {invalidation_reason}
from pg_replication_slots
order by slot_name
