-- Downgrade from 1.0.6 to 1.0.5.
--
-- The origin of imported samples is kept in the schema col_archive; the next
-- upgrade brings it back.
--
-- By hand: psql -v ON_ERROR_STOP=1 -1 -f downgrade-1.0.6-1.0.5.sql DATABASE

do $$
declare
    origin text;
begin
    if not exists (
        select 1
        from col.sample
        where dbuid_origin is not null
    ) then
        return;
    end if;
    if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
        create schema col_archive;
    end if;
    select n.nspname || '.' || c.relname into strict origin
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = 'col.sample'::regclass;
    if to_regclass('col_archive.sample_since_1_0_6') is null then
        create table col_archive.sample_since_1_0_6 as
        select sample_id, dbuid_origin
        from col.sample
        where dbuid_origin is not null;
    else
        update col_archive.sample_since_1_0_6 kept
        set dbuid_origin = coalesce(live.dbuid_origin, kept.dbuid_origin)
        from col.sample live
        where live.sample_id = kept.sample_id
          and (live.dbuid_origin is not null);
        insert into col_archive.sample_since_1_0_6 (
            sample_id, dbuid_origin
        )
        select live.sample_id, live.dbuid_origin
        from col.sample live
        where (live.dbuid_origin is not null)
          and not exists (
              select 1
              from col_archive.sample_since_1_0_6 kept
              where kept.sample_id = live.sample_id
          );
    end if;
    execute format(
        'comment on table %s is %L',
        'col_archive.sample_since_1_0_6'::regclass,
        'Archived by the downgrade 1.0.6 -> 1.0.5 on '
            || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || ' from ' || origin
    );
end
$$;

alter table col.sample
    drop column dbuid_origin;

alter table col.storage
    rename column storage_location to range;

-- An archive schema in which nothing is left goes.
do $$
begin
    if exists (
           select 1
           from pg_namespace
           where nspname = 'col_archive' and pg_has_role(nspowner, 'usage')
       )
       and not exists (
           select 1
           from pg_depend d
           join pg_namespace n on n.oid = d.refobjid
           where d.refclassid = 'pg_namespace'::regclass
             and d.deptype = 'n'
             and n.nspname = 'col_archive'
       )
    then
        drop schema col_archive;
    end if;
end
$$;
