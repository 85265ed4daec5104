-- Foreign keys outside PostgreSQL's own schemas, with the columns of both sides.
select k.conname::text, k.conrelid::bigint, k.confrelid::bigint,
       array(select a.attname::text from pg_catalog.pg_attribute a
             where a.attrelid = k.conrelid and a.attnum = any (k.conkey)) as columns,
       array(select a.attname::text from pg_catalog.pg_attribute a
             where a.attrelid = k.confrelid and a.attnum = any (k.confkey)) as referenced_columns,
       k.confdeltype in ('c', 'n', 'd') as writes
from pg_catalog.pg_constraint k
where k.contype = 'f'
order by k.conname, k.oid
