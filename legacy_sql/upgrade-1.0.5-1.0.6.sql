-- Upgrade from 1.0.5 to 1.0.6: origin of imported samples; place in a container.
--
-- By hand: psql -v ON_ERROR_STOP=1 -1 -f upgrade-1.0.5-1.0.6.sql DATABASE

alter table col.sample
    add column dbuid_origin varchar;

comment on column col.sample.dbuid_origin is
    'Where an imported sample comes from: code of the database, colon, uid there.';

-- What a downgrade kept comes back to the rows that still exist.
do $$
begin
    if to_regclass('col_archive.sample_since_1_0_6') is null then
        return;
    end if;
    update col.sample live
    set dbuid_origin = kept.dbuid_origin
    from col_archive.sample_since_1_0_6 kept
    where kept.sample_id = live.sample_id;
    if not exists (
        select 1
        from col_archive.sample_since_1_0_6 kept
        where not exists (
            select 1
            from col.sample live
            where live.sample_id = kept.sample_id
        )
    ) then
        drop table col_archive.sample_since_1_0_6;
    else
        delete from col_archive.sample_since_1_0_6 kept
        using col.sample live
        where live.sample_id = kept.sample_id;
    end if;
end
$$;

alter table col.storage
    rename column range to storage_location;

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
