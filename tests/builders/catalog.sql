-- The facts of a schema, as ../shared/tools/read_catalog.py reads them, under any schema's name.
-- It runs with the rights schema, the data schema and public as search path.
select 'table' as kind, c.relname::text as name, '' as definition
from pg_class c where c.relnamespace = %(schema)s and c.relkind in ('r', 'p')
union all
select 'column', c.relname || '.' || a.attname,
  format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
    || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = %(schema)s and c.relkind in ('r', 'p')
union all
select 'constraint', c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
from pg_constraint k join pg_class c on c.oid = k.conrelid
where c.relnamespace = %(schema)s and k.contype <> 'n'
union all
select 'index', ic.relname::text,
  'on ' || case when i.indisunique then 'UNIQUE ' else '' end || substr(
    pg_get_indexdef(i.indexrelid),
    1 + length(format('CREATE %%sINDEX %%I ON %%I.', case when i.indisunique then 'UNIQUE ' end,
      ic.relname, n.nspname)))
from pg_index i
join pg_class ic on ic.oid = i.indexrelid
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
where c.relnamespace = %(schema)s
  and not exists (
    select 1 from pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid
      and k.contype in ('p', 'u', 'x'))
union all
select 'view', c.relname::text, (
  select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
  from pg_attribute a where a.attrelid = c.oid and a.attnum > 0)
from pg_class c where c.relnamespace = %(schema)s and c.relkind in ('v', 'm')
union all
select 'sequence', c.relname::text, coalesce((
  select 'owned by ' || rc.relname || '.' || a.attname
  from pg_depend d
  join pg_class rc on rc.oid = d.refobjid
  join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
  where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')), '')
from pg_class c where c.relnamespace = %(schema)s and c.relkind = 'S'
union all
select 'function', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
  'returns ' || pg_get_function_result(p.oid)
from pg_proc p where p.pronamespace = %(schema)s
union all
select 'trigger', c.relname || '.' || t.tgname,
  regexp_replace(pg_get_triggerdef(t.oid), '^CREATE TRIGGER [^ ]+ ', '')
from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace = %(schema)s and not tgisinternal
union all
select 'type', t.typname::text, t.typtype::text
from pg_type t where t.typnamespace = %(schema)s and t.typtype in ('e', 'd')
