-- The newest movement of each object.
select distinct on (uid) uid, movement_id as last_movement_id
from $movement
where uid >= %(object_first)s
order by uid, movement_date desc, movement_id desc
