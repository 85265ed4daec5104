-- every table that pg_dump writes rows of
select
    quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    pg_relation_size(c.oid),
    pg_table_size(c.oid) - pg_relation_size(c.oid),
    exists (
        select from pg_attribute a
        join pg_type t on t.oid = a.atttypid
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and 'bytea'::regtype in (t.oid, t.typbasetype, t.typelem)
    )
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (
      select from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  )
order by 1
