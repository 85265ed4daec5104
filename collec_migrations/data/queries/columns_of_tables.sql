-- The tables of a schema, each with the names of its columns. Parameter: schema.
select c.relname::text, pg_catalog.array_agg(a.attname::text)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid operator(pg_catalog.=) c.oid
where n.nspname operator(pg_catalog.=) %(schema)s
  and c.relkind in ('r', 'p')
  and a.attnum operator(pg_catalog.>) 0
  and not a.attisdropped
group by c.relname
