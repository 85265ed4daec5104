-- The unique keys of the tables of the two schemas (the primary key first) and, from each foreign
-- key of one column, what the column refers to.
select case n.nspname when %(gacl)s then 'gacl' else 'col' end as role, c.relname as "table",
  array(select a.attname::text from pg_attribute a
    where a.attrelid = c.oid and a.attnum = any (i.indkey) order by a.attnum) as columns,
  null as parent_role, null as parent, null as parent_column, i.indisprimary as first
from pg_namespace n
join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'p')
join pg_index i on i.indrelid = c.oid and i.indisunique and i.indexprs is null
where n.nspname in (%(gacl)s, %(col)s)
union all
select case n.nspname when %(gacl)s then 'gacl' else 'col' end, c.relname,
  array[a.attname::text], case m.nspname when %(gacl)s then 'gacl' else 'col' end, p.relname,
  b.attname, false
from pg_namespace n
join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'p')
join pg_constraint k on k.conrelid = c.oid and k.contype = 'f' and array_length(k.conkey, 1) = 1
join pg_attribute a on a.attrelid = c.oid and a.attnum = k.conkey[1]
join pg_class p on p.oid = k.confrelid
join pg_namespace m on m.oid = p.relnamespace and m.nspname in (%(gacl)s, %(col)s)
join pg_attribute b on b.attrelid = p.oid and b.attnum = k.confkey[1]
where n.nspname in (%(gacl)s, %(col)s)
order by 1, 2, first desc, 3
