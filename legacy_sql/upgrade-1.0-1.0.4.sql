-- Upgrade from 1.0 to 1.0.4: last_movement also tells that an object left.

create or replace view col.last_movement as
select moved.uid,
       moved.storage_id,
       moved.storage_date,
       moved.movement_type_id,
       moved.container_id,
       holder.uid as container_uid
from (select distinct on (uid)
             uid, storage_id, storage_date, movement_type_id, container_id
      from col.storage
      order by uid, storage_date desc, storage_id desc) as moved
left join col.container as holder on holder.container_id = moved.container_id;

comment on view col.last_movement is
    'Where each object is: its one last movement. Out of storage, it has no container.';
