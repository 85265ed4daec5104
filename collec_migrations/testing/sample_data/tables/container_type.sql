-- From the room to the box.
select id as container_type_id,
  (array['Cold room', 'Freezer -80 °C', 'Rack', 'Box of 81', 'Drawer'])[1 + mod(n, 5)]
    || ' #' || id as container_type_name,
  case when n = 0 then 1 else 2 end as container_family_id,
  case when n > 0
    then %(storage_condition_first)s + mod(n, %(storage_condition_count)s) end
    as storage_condition_id,
  case when mod(n, 5) = 3 then %(label_first)s end as label_id,
  case when mod(n, 2) = 0 then 'Bought in 2015; 100%% of the keys are at the reception' end
    as container_type_description,
  case when mod(n, 5) = 4 then 'Ethanol 70 %%' end as storage_product,
  case when mod(n, 5) = 4 then 'GHS02' end as clp_classification,
  case when mod(n, 5) = 3 then 9 else 1 end as lines,
  case when mod(n, 5) = 3 then 9 else 1 end as columns,
  case when mod(n, 2) = 0 then 'T' else 'B' end as first_line
from made
