-- Upgrade from 1.2.3 to 2.0: projects become collections, movements get their own name.

drop view col.last_movement;

alter table col.storage_reason rename to movement_reason;
alter table col.movement_reason rename column storage_reason_id to movement_reason_id;
alter table col.movement_reason rename column storage_reason_name to movement_reason_name;

alter table col.storage rename to movement;
alter table col.movement rename column storage_id to movement_id;
alter table col.movement rename column storage_date to movement_date;
alter table col.movement rename column storage_comment to movement_comment;
alter table col.movement rename column storage_reason_id to movement_reason_id;

alter table col.project rename to collection;
alter table col.collection rename column project_id to collection_id;
alter table col.collection rename column project_name to collection_name;

alter table col.project_group rename to collection_group;
alter table col.collection_group rename column project_id to collection_id;

alter table col.protocol rename column project_id to collection_id;

alter table col.sample rename column project_id to collection_id;
alter table col.sample rename column sample_date to sampling_date;
alter table col.sample add column expiration_date timestamp;

alter table col.sample_type add column identifier_generator_js varchar;

alter table col.sampling_place
    add column collection_id integer,
    add column sampling_place_code varchar,
    add column sampling_place_x double precision,
    add column sampling_place_y double precision,
    add constraint collection_sampling_place_fk
        foreign key (collection_id) references col.collection (collection_id);

alter table col.container_family drop column is_movable;

comment on table col.collection is
    'Collections: samples belong to one, and rights on samples go by collection.';
comment on column col.protocol.collection_id is
    'Collection that the protocol is written for.';
comment on column col.sample.expiration_date is
    'Until when the sample can be used.';
comment on column col.sample_type.identifier_generator_js is
    'JavaScript that makes the identifier of a new sample of this type.';
comment on column col.sampling_place.collection_id is
    'Collection that uses the place; null for all.';
comment on column col.sampling_place.sampling_place_x is
    'Longitude, in degrees (WGS 84).';
comment on column col.sampling_place.sampling_place_y is
    'Latitude, in degrees (WGS 84).';

create index container_uid_idx on col.container (uid);
create index movement_container_id_idx on col.movement (container_id);
create index movement_login_idx on col.movement (login);
create index movement_movement_date_desc_idx on col.movement (movement_date desc);
create index movement_uid_idx on col.movement (uid);
create index object_identifier_uid_idx on col.object_identifier (uid);
create index sample_expiration_date_idx on col.sample (expiration_date);
create index sample_sample_creation_date_idx on col.sample (sample_creation_date);
create index sample_sampling_date_idx on col.sample (sampling_date);
create index sample_uid_idx on col.sample (uid);

create view col.last_movement as
select moved.uid,
       moved.movement_id,
       moved.movement_date,
       moved.movement_type_id,
       moved.container_id,
       holder.uid as container_uid,
       moved.line_number,
       moved.column_number
from (select distinct on (uid)
             uid, movement_id, movement_date, movement_type_id, container_id,
             line_number, column_number
      from col.movement
      order by uid, movement_date desc, movement_id desc) as moved
left join col.container as holder on holder.container_id = moved.container_id;

comment on view col.last_movement is
    'Where each object is: its last movement. Out of storage, it has no container.';

update gacl.aclaco set aco = 'collection' where aco = 'projet';
update gacl.aclgroup set groupe = 'collection' where groupe = 'projet';

alter table gacl.logingestion
    add column is_clientws boolean not null default false,
    add column tokenws varchar;

comment on column gacl.logingestion.is_clientws is
    'The account is one of a program.';
comment on column gacl.logingestion.tokenws is
    'Token by which that program is known.';

-- The application starts to count anew.
delete from col.dbversion;
insert into col.dbversion (dbversion_number, dbversion_date) values ('2.0', '2018-05-04');
