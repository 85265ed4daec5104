-- Views and foreign keys that refer to relations of some schemas: what they are, and to which column
-- (of a whole relation: null). Parameter: schemas.
select distinct case v.relkind when 'm' then 'materialized view' else 'view' end as kind,
       vn.nspname::text, v.relname::text, tn.nspname::text, t.relname::text, a.attname::text
from pg_catalog.pg_depend d
join pg_catalog.pg_rewrite r on r.oid = d.objid
join pg_catalog.pg_class v on v.oid = r.ev_class and v.relkind in ('v', 'm')
join pg_catalog.pg_namespace vn on vn.oid = v.relnamespace
join pg_catalog.pg_class t on t.oid = d.refobjid
join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
left join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
where d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and v.oid <> t.oid
  and tn.nspname::text = any (%(schemas)s)
union
select 'table', vn.nspname::text, v.relname::text, tn.nspname::text, t.relname::text, null
from pg_catalog.pg_constraint k
join pg_catalog.pg_class v on v.oid = k.conrelid
join pg_catalog.pg_namespace vn on vn.oid = v.relnamespace
join pg_catalog.pg_class t on t.oid = k.confrelid
join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
where k.contype = 'f'
  and tn.nspname::text = any (%(schemas)s)
order by 1, 2, 3, 4, 5, 6
