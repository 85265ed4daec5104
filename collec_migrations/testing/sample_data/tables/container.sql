-- A tree of five branches at each knot: a room, freezers, racks, boxes.
select id as container_id, %(object_first)s + n as uid,
  %(container_type_first)s + case when n = 0 then 0 when n < 6 then 1 when n < 31 then 2 else 3 end
    as container_type_id
from made
