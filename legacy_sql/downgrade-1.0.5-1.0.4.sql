-- Downgrade from 1.0.5 to 1.0.4.
--
-- Sampling places, and which sample comes from which, are kept in the schema
-- col_archive; the next upgrade brings them back.
--
-- By hand: psql -v ON_ERROR_STOP=1 -1 -f downgrade-1.0.5-1.0.4.sql DATABASE

-- An archive that is still there under this name is set aside, as plain data.
do $$
declare
    leftover record;
    attached record;
    life integer;
begin
    for leftover in
        select c.oid, c.relname
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'col_archive'
          and c.relkind = 'r'
          and c.relname in (
              'sampling_place_since_1_0_5'
          )
    loop
        for attached in
            select k.conname
            from pg_constraint k
            where k.conrelid = leftover.oid and k.contype in ('p', 'u', 'f', 'c')
        loop
            execute format(
                'alter table %s drop constraint if exists %I cascade',
                leftover.oid::regclass, attached.conname
            );
        end loop;
        for attached in
            select i.indexrelid
            from pg_index i
            where i.indrelid = leftover.oid
        loop
            execute format('drop index %s', attached.indexrelid::regclass);
        end loop;
        for attached in
            select d.objid
            from pg_depend d
            join pg_class s on s.oid = d.objid and s.relkind = 'S'
            where d.classid = 'pg_class'::regclass
              and d.refclassid = 'pg_class'::regclass
              and d.refobjid = leftover.oid
              and d.deptype = 'a'
        loop
            execute format('drop sequence %s cascade', attached.objid::regclass);
        end loop;
        life := 1;
        while exists (
            select 1
            from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'col_archive'
              and c.relname = leftover.relname || '_former_' || life
        ) loop
            life := life + 1;
        end loop;
        execute format(
            'alter table %s rename to %I',
            leftover.oid::regclass, leftover.relname || '_former_' || life
        );
    end loop;
end
$$;

do $$
declare
    origin text;
begin
    if not exists (
        select 1
        from col.sample
        where sampling_place_id is not null
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
    if to_regclass('col_archive.sample_since_1_0_5') is null then
        create table col_archive.sample_since_1_0_5 as
        select sample_id, sampling_place_id
        from col.sample
        where sampling_place_id is not null;
    else
        update col_archive.sample_since_1_0_5 kept
        set sampling_place_id = coalesce(live.sampling_place_id, kept.sampling_place_id)
        from col.sample live
        where live.sample_id = kept.sample_id
          and (live.sampling_place_id is not null);
        insert into col_archive.sample_since_1_0_5 (
            sample_id, sampling_place_id
        )
        select live.sample_id, live.sampling_place_id
        from col.sample live
        where (live.sampling_place_id is not null)
          and not exists (
              select 1
              from col_archive.sample_since_1_0_5 kept
              where kept.sample_id = live.sample_id
          );
    end if;
    execute format(
        'comment on table %s is %L',
        'col_archive.sample_since_1_0_5'::regclass,
        'Archived by the downgrade 1.0.5 -> 1.0.4 on '
            || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || ' from ' || origin
    );
end
$$;

alter table col.sample
    drop column sampling_place_id;

do $$
declare
    origin text;
begin
    if exists (select 1 from col.sampling_place) then
        if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
            create schema col_archive;
        end if;
        select n.nspname || '.' || c.relname into strict origin
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = 'col.sampling_place'::regclass;
        alter table col.sampling_place rename to sampling_place_since_1_0_5;
        alter table col.sampling_place_since_1_0_5 set schema col_archive;
        execute format(
            'comment on table %s is %L',
            'col_archive.sampling_place_since_1_0_5'::regclass,
            'Archived by the downgrade 1.0.5 -> 1.0.4 on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || origin
        );
    else
        drop table col.sampling_place;
    end if;
end
$$;

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
