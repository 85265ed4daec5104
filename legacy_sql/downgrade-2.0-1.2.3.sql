-- Downgrade from 2.0 to 1.2.3.

drop view col.last_movement;

drop index col.container_uid_idx;
drop index col.movement_container_id_idx;
drop index col.movement_login_idx;
drop index col.movement_movement_date_desc_idx;
drop index col.movement_uid_idx;
drop index col.object_identifier_uid_idx;
drop index col.sample_expiration_date_idx;
drop index col.sample_sample_creation_date_idx;
drop index col.sample_sampling_date_idx;
drop index col.sample_uid_idx;

alter table col.container_family
    add column is_movable boolean not null default true;

comment on column col.container_family.is_movable is
    'Containers of this family can be moved.';

alter table col.sampling_place
    drop column collection_id,
    drop column sampling_place_code,
    drop column sampling_place_x,
    drop column sampling_place_y;

alter table col.sample_type drop column identifier_generator_js;

alter table col.sample drop column expiration_date;
alter table col.sample rename column sampling_date to sample_date;
alter table col.sample rename column collection_id to project_id;

alter table col.protocol rename column collection_id to project_id;

alter table col.collection_group rename column collection_id to project_id;
alter table col.collection_group rename to project_group;

alter table col.collection rename column collection_name to project_name;
alter table col.collection rename column collection_id to project_id;
alter table col.collection rename to project;

alter table col.movement rename column movement_reason_id to storage_reason_id;
alter table col.movement rename column movement_comment to storage_comment;
alter table col.movement rename column movement_date to storage_date;
alter table col.movement rename column movement_id to storage_id;
alter table col.movement rename to storage;

alter table col.movement_reason rename column movement_reason_name to storage_reason_name;
alter table col.movement_reason rename column movement_reason_id to storage_reason_id;
alter table col.movement_reason rename to storage_reason;

comment on table col.project is
    'Projects: samples belong to one, and rights on samples go by project.';
comment on column col.protocol.project_id is
    'Project that the protocol is written for.';

create view col.last_movement as
select moved.uid,
       moved.storage_id,
       moved.storage_date,
       moved.movement_type_id,
       moved.container_id,
       holder.uid as container_uid,
       moved.line_number,
       moved.column_number
from (select distinct on (uid)
             uid, storage_id, storage_date, movement_type_id, container_id,
             line_number, column_number
      from col.storage
      order by uid, storage_date desc, storage_id desc) as moved
left join col.container as holder on holder.container_id = moved.container_id;

comment on view col.last_movement is
    'Where each object is: its one last movement. Out of storage, it has no container.';

alter table gacl.logingestion
    drop column is_clientws,
    drop column tokenws;

update gacl.aclgroup set groupe = 'projet' where groupe = 'collection';
update gacl.aclaco set aco = 'projet' where aco = 'collection';

-- The upgrade to 2.0 took the rows of the older versions away.
insert into col.dbversion (dbversion_number, dbversion_date)
select '1.2.3', '2017-11-22'
where not exists (select 1 from col.dbversion where dbversion_number = '1.2.3');

delete from col.dbversion where dbversion_number = '2.0';
