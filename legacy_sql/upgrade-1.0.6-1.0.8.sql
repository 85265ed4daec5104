-- Upgrade from 1.0.6 to 1.0.8: the database says its version.
--
-- By hand: psql -v ON_ERROR_STOP=1 -1 -f upgrade-1.0.6-1.0.8.sql DATABASE

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

insert into col.dbversion (dbversion_number, dbversion_date) values
    ('1.0.8', '2017-06-02 00:00:00');
