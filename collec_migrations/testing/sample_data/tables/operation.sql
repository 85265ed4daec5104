-- Steps of the protocols.
select id as operation_id, %(protocol_first)s + mod(n, %(protocol_count)s) as protocol_id,
  (array['Net haul', 'Filtration', 'Dissection', 'Drying', 'Extraction'])[1 + mod(n, 5)]
    || ' ' || id as operation_name,
  case when mod(n, 6) > 0 then 1 + n / %(protocol_count)s end as operation_order,
  case when mod(n, 3) > 0 then 'v' || mod(n, 3) end as operation_version,
  case when mod(n, 3) > 0 then timestamp '2017-09-04 09:00' + n * interval '1 day' end
    as last_edit_date
from made
