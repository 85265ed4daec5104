-- Views, rules, foreign keys, policies, triggers, functions and column lists of publications that
-- refer to relations of some schemas: kind, schema and name of a relation, else how the object is
-- shown; then to which relation and column (of a whole relation: null). Parameter: schemas.
-- What belongs to the relation itself depends on it as `a` and goes with it; `n` stands in the way.
select distinct
    case when v.relkind is null and k.oid is null
         then pg_catalog.replace(i.type, 'publication relation', 'publication')
         when k.oid is not null then 'table'
         when v.relkind = 'm' then 'materialized view'
         else 'view' end as kind,
    o.nspname::text, coalesce(kr.relname, v.relname)::text,
    case when v.relkind is null and k.oid is null then i.identity end,
    n.nspname::text, t.relname::text, a.attname::text
from pg_catalog.pg_depend d
join pg_catalog.pg_class t on t.oid = d.refobjid
join pg_catalog.pg_namespace n on n.oid = t.relnamespace
left join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
left join pg_catalog.pg_rewrite r
    on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and r.oid = d.objid
left join pg_catalog.pg_class v on v.oid = r.ev_class and v.relkind in ('v', 'm')
left join pg_catalog.pg_constraint k
    on d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
    and k.oid = d.objid and k.contype = 'f'
left join pg_catalog.pg_class kr on kr.oid = k.conrelid
left join pg_catalog.pg_namespace o on o.oid = coalesce(kr.relnamespace, v.relnamespace)
cross join lateral pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) i
where d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and d.deptype = 'n'
  and n.nspname::text = any (%(schemas)s)
  and (v.oid is null or v.oid <> t.oid)
  and (k.oid is not null or i.type in
       ('rule', 'policy', 'publication relation', 'trigger', 'function', 'procedure')
       or v.oid is not null)
order by 1, 2, 3, 4, 5, 6, 7
