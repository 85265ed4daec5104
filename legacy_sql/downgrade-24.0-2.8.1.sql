-- Downgrade from 24.0 to 2.8.1.

drop view col.v_derivated_number;
drop view col.slots_used;
drop view col.last_movement;

create view col.last_movement as
select moved.uid,
       moved.movement_id,
       moved.movement_date,
       moved.movement_type_id,
       moved.container_id,
       holder.uid as container_uid,
       moved.line_number,
       moved.column_number,
       moved.movement_reason_id
from (select distinct on (uid)
             uid, movement_id, movement_date, movement_type_id, container_id,
             line_number, column_number, movement_reason_id
      from col.movement
      order by uid, movement_date desc, movement_id desc) as moved
left join col.container as holder on holder.container_id = moved.container_id;

comment on view col.last_movement is
    'Where each object is: its one last movement. Out of storage, it has no container.';

create view col.slots_used as
select container_id, count(*) as nb_slots_used
from col.last_movement
where movement_type_id = 1
group by container_id;

comment on view col.slots_used is
    'Number of objects in each container.';

alter table col.object drop column last_movement_id;

drop index col.referent_referent_name_firstname_idx;
create unique index referent_referent_name_idx on col.referent (referent_name);

alter table col.container drop column collection_id;

alter table col.collection
    drop column sample_name_unique,
    drop column notification_enabled,
    drop column notification_mails,
    drop column expiration_delay,
    drop column event_due_delay;

delete from col.dbparam
where dbparam_name in (
    'containerNameUnique', 'consultSeesAll', 'notificationDelay', 'notificationLastDate'
);

alter table col.dbparam
    drop column dbparam_description,
    drop column dbparam_description_en;

insert into col.dbversion (dbversion_number, dbversion_date)
select '2.8.1', '2022-12-01'
where not exists (select 1 from col.dbversion where dbversion_number = '2.8.1');

delete from col.dbversion where dbversion_number = '24.0';
