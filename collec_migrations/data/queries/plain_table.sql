-- Whether the relations of a name in some schemas are plain tables, which run no code of their
-- owners' when they are read or written: schema, kind, owner, whether that is a superuser, and what
-- one has beyond a plain table. Parameters: schemas, table.
select n.nspname::text, c.relkind::text, r.rolname::text, r.rolsuper,
       array_remove(array[
           case when c.relkind <> 'r' then 'it is no table' end,
           case when c.relhasrules then 'it has a rule' end,
           case when exists (select 1 from pg_trigger t
                             where t.tgrelid = c.oid and not t.tgisinternal)
                then 'it has a trigger' end,
           -- A cast to json or text that its owner made would be called by row_to_json and ::text.
           case when exists (select 1 from pg_attribute a
                             join pg_type y on y.oid = a.atttypid
                             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                               and y.typnamespace <> (select oid from pg_namespace
                                                      where nspname = 'pg_catalog'))
                then 'it has a column of a type of somebody''s own' end,
           case when exists (select 1 from pg_constraint k
                             where k.conrelid = c.oid and k.contype = 'c')
                then 'it has a check' end,
           case when exists (select 1 from pg_attrdef d where d.adrelid = c.oid)
                then 'it has a default' end,
           case when exists (select 1 from pg_index x
                             where x.indrelid = c.oid and (x.indexprs is not null
                                                           or x.indpred is not null))
                then 'it has an index on an expression' end
       ], null)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_roles r on r.oid = c.relowner
where n.nspname = any (%(schemas)s) and c.relname = %(table)s
