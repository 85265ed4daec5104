-- Signs, on a server, of a program that manages its replication: manager, and what was seen.
select 'repmgr', 'the schema repmgr in the database ' || current_database()
from pg_namespace where nspname = 'repmgr'
union all
select 'repmgr', 'the database ' || datname
from pg_database where datname = 'repmgr'
union all
select 'repmgr', 'the role ' || rolname
from pg_roles where rolname = 'repmgr'
union all
select 'pg_auto_failover', 'the role ' || rolname
from pg_roles where rolname in ('pgautofailover_replicator', 'pgautofailover_monitor')
union all
select 'pg_auto_failover', 'the extension pgautofailover in the database ' || current_database()
from pg_extension where extname = 'pgautofailover'
union all
-- Patroni starts postgres with these on the command line, whatever the files say.
select 'Patroni', 'the settings ' || string_agg(name, ', ' order by name) || ' on the command line'
from pg_settings
where source = 'command line'
    and name in ('cluster_name', 'track_commit_timestamp', 'wal_log_hints', 'max_worker_processes')
having count(*) = 4
