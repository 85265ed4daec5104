select {role}, {table_name}, row_to_json(t)::text from {table} t
