-- Movements. Object k (of those that move) enters, leaves, enters again ...: its r-th movement is
-- row r * movers + k. A round lasts 40 days. Now and then something leaves at the very date it
-- entered, and objects of one tray share their date. Containers always return to their parent in
-- the tree, samples to any box.
select id as movement_id, %(object_first)s + k as uid,
  case when leaves then 2 else 1 end as movement_type_id,
  case when leaves then null
    when k < %(container_count)s then %(container_first)s + (k - 1) / 5
    else %(container_first)s + %(container_count)s / 5
      + mod(c, %(container_count)s - %(container_count)s / 5) end as container_id,
  case when leaves and mod(b, 3) > 0
    then %(movement_reason_first)s + mod(b, %(movement_reason_count)s) end as movement_reason_id,
  timestamp '2015-02-02 08:00' + dated / %(movers)s * interval '40 days'
    + mod(hashint4(dated # %(seed)s) & 2147483647, 3600) * interval '15 minutes' as movement_date,
  case when not leaves and mod(d, 4) > 0 then 'shelf ' || mod(d, 9) end as storage_location,
  'user' || %(acllogin_first)s + mod(d, %(acllogin_count)s) as login,
  case when mod(d, 10) = 0 then 'moved with the inventory' end as movement_comment,
  case when leaves then 1 else 1 + mod(b, 9) end as line_number,
  case when leaves then 1 else 1 + mod(c, 9) end as column_number
from (
  select id, b, c, d, 1 + mod(n, %(movers)s) as k, mod(n / %(movers)s, 2) = 1 as leaves,
    case when mod(n / %(movers)s, 2) = 1 and mod(a, 16) = 0 then n - %(movers)s else n end as dated
  from made
) as planned
