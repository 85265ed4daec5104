-- The columns of the tables of the two schemas, with their types (of a domain also the type below
-- it), and the sequences that their defaults draw from.
select case n.nspname when %(gacl)s then 'gacl' else 'col' end as role,
  c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
  (select s.relname from pg_depend d join pg_class s on s.oid = d.refobjid and s.relkind = 'S'
    where d.classid = 'pg_attrdef'::regclass and d.objid = e.oid
      and d.refclassid = 'pg_class'::regclass and s.relnamespace = n.oid limit 1) as sequence,
  b.typname, b.typcategory::text, not a.attnotnull,
  -- Generated columns are of PostgreSQL 12, identity of 10.
  coalesce(to_jsonb(a) ->> 'attgenerated', '') <> ''
    or coalesce(to_jsonb(a) ->> 'attidentity', '') = 'a' as computed
from pg_namespace n
join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'p')
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
join pg_type b on b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
left join pg_attrdef e on e.adrelid = c.oid and e.adnum = a.attnum
where n.nspname in (%(gacl)s, %(col)s)
order by 1, 2, a.attnum
