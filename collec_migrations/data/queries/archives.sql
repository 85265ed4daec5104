-- The archive tables of some schemas, by their comments. Parameter: schemas.
select n.nspname::text, c.relname::text, pg_catalog.pg_total_relation_size(c.oid),
       pg_catalog.obj_description(c.oid, 'pg_class')
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s) and c.relkind in ('r', 'p')
order by 1, 2
