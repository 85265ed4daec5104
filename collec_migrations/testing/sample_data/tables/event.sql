-- What happened to things.
select id as event_id, %(object_first)s + mod(a, %(object_count)s) as uid,
  1 + mod(b, 5) as event_type_id,
  timestamp '2015-06-01 14:00' + n * interval '23 minutes' as event_date,
  (array['yes', 'no', 'partly', null])[1 + mod(c, 4)] as still_available,
  case when mod(d, 3) = 0 then 'seen during the inventory' end as event_comment
from made
