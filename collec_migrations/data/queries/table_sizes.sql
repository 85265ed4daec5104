-- Tables of some schemas: rows as estimated (null: never counted), bytes, owner. Parameter: schemas.
select n.nspname::text, c.relname::text,
       case when c.reltuples >= 0 then c.reltuples::float8 end,
       pg_catalog.pg_total_relation_size(c.oid),
       pg_catalog.pg_get_userbyid(c.relowner)::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s) and c.relkind in ('r', 'p')
