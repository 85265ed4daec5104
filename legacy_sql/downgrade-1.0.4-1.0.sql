-- Downgrade from 1.0.4 to 1.0: last_movement only tells movements into a container.

create or replace view col.last_movement as
select moved.uid,
       moved.storage_id,
       moved.storage_date,
       moved.movement_type_id,
       moved.container_id,
       holder.uid as container_uid
from (select uid, storage_id, storage_date, movement_type_id, container_id,
             max(storage_date) over (partition by uid) as last_date
      from col.storage) as moved
join col.container as holder on holder.container_id = moved.container_id
where moved.storage_date = moved.last_date;

comment on view col.last_movement is
    'Where each object is: its last movement, when that went into a container.';
