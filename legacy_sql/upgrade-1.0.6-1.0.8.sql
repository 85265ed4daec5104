-- Upgrade from 1.0.6 to 1.0.8: the database says its version.

create table col.dbversion (
    dbversion_id     serial not null,
    dbversion_number varchar not null,
    dbversion_date   timestamp not null,
    constraint dbversion_pk primary key (dbversion_id)
);

comment on table col.dbversion is
    'Versions that this database went through. The application looks for the row of the version that it needs.';
comment on column col.dbversion.dbversion_date is
    'Date of the release, not of its installation.';

insert into col.dbversion (dbversion_number, dbversion_date)
select '1.0.8', '2017-06-02'
where not exists (select 1 from col.dbversion where dbversion_number = '1.0.8');
