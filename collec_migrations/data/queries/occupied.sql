select {role}, {table_name} where exists (select 1 from {table})
