-- Upgrade from 1.0.4 to 1.0.5: places where samples are collected.
--
-- By hand: psql -v ON_ERROR_STOP=1 -1 -f upgrade-1.0.4-1.0.5.sql DATABASE

-- The table comes back whole when a downgrade kept it.
do $$
begin
    if to_regclass('col_archive.sampling_place_since_1_0_5') is not null then
        alter table col_archive.sampling_place_since_1_0_5 set schema col;
        alter table col.sampling_place_since_1_0_5 rename to sampling_place;
    else
        create table col.sampling_place (
            sampling_place_id   serial not null,
            sampling_place_name varchar not null,
            constraint sampling_place_pk primary key (sampling_place_id)
        );
    end if;
end
$$;

comment on table col.sampling_place is
    'Places where samples are collected.';

alter table col.sample
    add column sampling_place_id integer;

-- What a downgrade kept comes back to the rows that still exist.
do $$
begin
    if to_regclass('col_archive.sample_since_1_0_5') is null then
        return;
    end if;
    update col.sample live
    set sampling_place_id = kept.sampling_place_id
    from col_archive.sample_since_1_0_5 kept
    where kept.sample_id = live.sample_id
      and exists (
          select 1
          from col.sampling_place target
          where target.sampling_place_id = kept.sampling_place_id
      );
    update col_archive.sample_since_1_0_5 kept
    set sampling_place_id = null
    from col.sample live
    where live.sample_id = kept.sample_id
      and exists (
          select 1
          from col.sampling_place target
          where target.sampling_place_id = kept.sampling_place_id
      );
    delete from col_archive.sample_since_1_0_5
    where sampling_place_id is null;
    if not exists (select 1 from col_archive.sample_since_1_0_5) then
        drop table col_archive.sample_since_1_0_5;
    end if;
end
$$;

alter table col.sample
    add constraint sampling_place_sample_fk
        foreign key (sampling_place_id) references col.sampling_place (sampling_place_id);

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
