-- What tells a version beside the catalog: tables with rows of the application's own, and
-- sequences with the tables that draw from them; in which schema, whether it is a sequence, and
-- whether this role may read it.
select n.nspname, c.relname, c.relkind = 'S',
       has_schema_privilege(n.oid, 'usage')
       and case when c.relkind = 'S' then has_sequence_privilege(c.oid, 'select')
                else has_table_privilege(c.oid, 'select') end
       -- A cast to json that the owner of a type made would be called by row_to_json.
       and (c.relname <> all (%(whole)s)
            or not exists (select 1 from pg_attribute a
                           join pg_type y on y.oid = a.atttypid
                           where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                             and y.typnamespace <> (select oid from pg_namespace
                                                    where nspname = 'pg_catalog')))
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname in (%(gacl)s, %(col)s)
  and ((c.relkind = 'r' and c.relname = any (%(tables)s))
       or (c.relkind = 'S' and c.relname = any (%(sequences)s)))
