select {role}, '', row_to_json(p)::text
from (select {sequence_name} as sequence, {column_name} as column,
             (select max({column})::bigint from {table}) as greatest,
             last_value + case when is_called then 1 else 0 end as next
      from {sequence}) as p
