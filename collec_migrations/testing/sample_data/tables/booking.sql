-- Who wants what, and when.
select id as booking_id, %(object_first)s + mod(a, %(object_count)s) as uid,
  timestamp '2016-12-05 09:00' + n * interval '31 minutes' as booking_date,
  timestamp '2017-01-09 08:00' + mod(b, 500) * interval '1 day' as date_from,
  timestamp '2017-01-09 18:00' + (mod(b, 500) + mod(c, 30)) * interval '1 day' as date_to,
  case when mod(d, 2) = 0 then 'for the "ring" test' end as booking_comment,
  'user' || %(acllogin_first)s + mod(d, %(acllogin_count)s) as booking_login
from made
