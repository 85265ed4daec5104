-- Containers first, then samples: everything that has a label and a place.
select id as uid,
  case when n < %(container_count)s then 'C-' || lpad(n::text, 5, '0')
    when mod(a, 50) > 0 then 'S-' || (2012 + mod(a, 6)) || '-' || lpad(n::text, 7, '0') end
    as identifier,
  case when mod(b, 40) = 0 then null when mod(b, 40) < 36 then 1 else mod(b, 40) - 35 end
    as object_status_id,
  case when n >= %(container_count)s and mod(c, 3) > 0 then -1.5 + mod(c, 100000) / 50000.0 end
    as wgs84_x,
  case when n >= %(container_count)s and mod(c, 3) > 0 then 43.25 + mod(d, 100000) / 30000.0 end
    as wgs84_y,
  mod(a, 40) = 0 as trashed
from made
