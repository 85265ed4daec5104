select {role}, {sequence_name}, {column_name},
       (select max({column})::bigint from {table}), last_value, is_called
from {sequence}
