-- Upgrade from 1.0.6 to 1.0.8: the database says its version.
--
-- By hand: psql -v ON_ERROR_STOP=1 -1 -f upgrade-1.0.6-1.0.8.sql DATABASE

-- The table comes back whole when a downgrade kept it.
do $$
begin
    if to_regclass('col_archive.dbversion_since_1_0_8') is not null then
        alter table col_archive.dbversion_since_1_0_8 set schema col;
        alter table col.dbversion_since_1_0_8 rename to dbversion;
    else
        create table col.dbversion (
            dbversion_id     serial not null,
            dbversion_number varchar not null,
            dbversion_date   timestamp not null,
            constraint dbversion_pk primary key (dbversion_id)
        );
    end if;
end
$$;

comment on table col.dbversion is
    'Versions that this database went through. The application looks for the row of the version that it needs.';
comment on column col.dbversion.dbversion_date is
    'Date of the release, not of its installation.';

insert into col.dbversion (dbversion_number, dbversion_date)
select '1.0.8', '2017-06-02 00:00:00'
where not exists (select 1 from col.dbversion where dbversion_number = '1.0.8');

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
