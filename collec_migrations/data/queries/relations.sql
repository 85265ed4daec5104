-- Relations outside PostgreSQL's own schemas, with what depends on them. Parameter: schemas, in
-- which the sizes of tables are wanted (to measure one is to lock it in the weakest mode).
select c.oid::bigint, n.nspname::text, c.relname::text,
       case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'i' then 'index'
           when 'I' then 'index' when 'm' then 'materialized view' when 'f' then 'foreign table'
           else 'table' end as kind,
       pg_catalog.pg_get_userbyid(c.relowner)::text as owner,
       case when c.reltuples >= 0 then c.reltuples::float8 end as rows,
       case when c.relkind in ('r', 'p', 'm') and n.nspname = any (%(schemas)s::text[])
           then pg_catalog.pg_total_relation_size(c.oid) else 0 end as bytes,
       coalesce(i.indrelid, o.refobjid)::bigint as on_relation,
       coalesce((select a.attname::text from pg_catalog.pg_attribute a
                 where a.attrelid = o.refobjid and a.attnum = o.refobjsubid), '') as on_column,
       coalesce((select json_object_agg(
                            a.attname,
                            case when t.typcategory = 'A' and t.typname like '\_%%'
                                then substr(t.typname, 2) || '[]' else t.typname end
                            || coalesce(substring(pg_catalog.format_type(a.atttypid, a.atttypmod)
                                                  from '\([0-9,]+\)'), ''))
                 from pg_catalog.pg_attribute a
                 join pg_catalog.pg_type t on t.oid = a.atttypid
                 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                   and c.relkind in ('r', 'p', 'f', 'm')), '{}')::text as columns,
       coalesce((select json_object_agg(a.attname, s.refobjid::bigint)
                 from pg_catalog.pg_attrdef f
                 join pg_catalog.pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
                 join pg_catalog.pg_depend s
                   on s.classid = 'pg_catalog.pg_attrdef'::regclass and s.objid = f.oid
                 join pg_catalog.pg_class q on q.oid = s.refobjid and q.relkind = 'S'
                 where f.adrelid = c.oid
                   and s.refclassid = 'pg_catalog.pg_class'::regclass), '{}')::text as counters,
       array(select distinct u.refobjid::bigint
             from pg_catalog.pg_rewrite r
             join pg_catalog.pg_depend u
               on u.classid = 'pg_catalog.pg_rewrite'::regclass and u.objid = r.oid
             where r.ev_class = c.oid and c.relkind in ('v', 'm')
               and u.refclassid = 'pg_catalog.pg_class'::regclass and u.refobjid <> c.oid) as uses
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_index i on i.indexrelid = c.oid
left join lateral (select d.refobjid, d.refobjsubid from pg_catalog.pg_depend d
                   where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
                     and d.objsubid = 0 and d.deptype in ('a', 'i') and c.relkind = 'S'
                     and d.refclassid = 'pg_catalog.pg_class'::regclass
                     and d.refobjsubid > 0
                   limit 1) o on true
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I')
  and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
order by n.nspname, c.relname
