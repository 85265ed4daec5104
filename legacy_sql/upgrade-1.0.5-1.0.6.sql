-- Upgrade from 1.0.5 to 1.0.6: origin of imported samples; place in a container.

alter table col.sample add column dbuid_origin varchar;

comment on column col.sample.dbuid_origin is
    'Where an imported sample comes from: code of the database, colon, uid there.';

alter table col.storage rename column range to storage_location;
