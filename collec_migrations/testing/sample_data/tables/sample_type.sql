-- Kinds of samples.
select id as sample_type_id,
  (array['Otolith', 'Muscle', 'Water 1 L', 'Core section', 'DNA extract', 'Scale'])
    [1 + mod(n, 6)] || ' ' || id as sample_type_name,
  case when mod(n, 3) > 0 then %(container_type_first)s + 3 end as container_type_id,
  case when mod(n, 4) > 0 then %(operation_first)s + mod(a, %(operation_count)s) end
    as operation_id,
  case when mod(n, 2) = 0 then 1 + mod(a, 4) end as multiple_type_id,
  case when mod(n, 2) = 0 then (array['piece', '%%', 'mL'])[1 + mod(a, 3)] end as multiple_unit,
  case when mod(n, 3) > 0 then %(metadata_first)s + mod(n, %(metadata_count)s) end as metadata_id
from made
