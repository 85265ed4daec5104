-- what goes wrong with time; columns that came after 9.4 are null by row_to_json
with session as (
    select a.pid, a.xact_start, a.state, a.usename, a.datname
    from pg_stat_activity a
    where coalesce(row_to_json(a) ->> 'backend_type', 'client backend') = 'client backend'
      and a.pid <> pg_backend_pid()
)
select
    (select count(*) + 1 from session),
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
    -- others' sessions show nothing to a role without pg_read_all_stats
    exists (
        select from pg_roles r
        where r.rolname = current_user and (r.rolsuper or exists (
            select from pg_roles m
            where m.rolname = 'pg_read_all_stats' and pg_has_role(current_user, m.oid, 'member')))
    ),
    (select extract(epoch from now() - min(xact_start))::float8 from session),
    (select pid from session where xact_start is not null order by xact_start limit 1),
    (select extract(epoch from now() - min(prepared))::float8 from pg_prepared_xacts),
    (select gid from pg_prepared_xacts order by prepared limit 1),
    (select max(age(datfrozenxid)) from pg_database),
    current_setting('autovacuum_freeze_max_age')::bigint,
    (select coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)
     from pg_stat_archiver),
    (select last_failed_wal from pg_stat_archiver),
    current_setting('archive_mode'),
    -- null: this role may not know
    (select setting from pg_settings where name = 'archive_command'),
    (select setting from pg_settings where name = 'archive_library'),
    array(
        select i.indexrelid::regclass::text from pg_index i
        join pg_class c on c.oid = i.indexrelid
        where not i.indisvalid and c.relkind = 'i' order by 1
    ),
    (select setting from pg_settings where name = 'data_directory')
