-- What a server is and holds, as far as a standby needs to know it.
select pg_is_in_recovery(),
    version(),
    (select count(*)::int from pg_stat_replication),
    (select coalesce(array_agg(slot_name::text order by slot_name), '{}') from pg_replication_slots),
    (
        select coalesce(sum(pg_database_size(oid)), 0)::bigint
        from pg_database
        where has_database_privilege(oid, 'connect')
    ),
    (select count(*)::int from pg_database where not has_database_privilege(oid, 'connect')),
    (
        select coalesce(array_agg(spcname::text order by spcname), '{}')
        from pg_tablespace
        where spcname not in ('pg_default', 'pg_global')
    ),
    host(inet_server_addr()),
    extract(epoch from pg_postmaster_start_time())::bigint
