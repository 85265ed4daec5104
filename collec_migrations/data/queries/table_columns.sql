-- The columns of every table of a schema, in the order of their names.
select
    c.relname,
    array_remove(array_agg(a.attname::text order by a.attname::text collate "C"), null)
from pg_class c
left join pg_attribute a
    on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = (select oid from pg_namespace where nspname = %s)
  and c.relkind in ('r', 'p')
group by c.relname
order by c.relname
