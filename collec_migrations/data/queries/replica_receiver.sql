-- What a standby receives; all is null but the row itself for a role without pg_monitor.
select status,
    received_tli,
    extract(epoch from clock_timestamp() - last_msg_receipt_time)::float8,
    slot_name::text,
    conninfo
from pg_stat_wal_receiver
where pid is not null
