-- Upgrade from 1.0.5 to 1.0.6: origin of imported samples; place in a container.
--
-- By hand: psql -v ON_ERROR_STOP=1 -1 -f upgrade-1.0.5-1.0.6.sql DATABASE

alter table col.sample
    add column dbuid_origin varchar;

comment on column col.sample.dbuid_origin is
    'Where an imported sample comes from: code of the database, colon, uid there.';

alter table col.storage
    rename column range to storage_location;
