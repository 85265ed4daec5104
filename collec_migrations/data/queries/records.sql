-- What tells a version beside the catalog: tables with rows of the application's own, and
-- sequences; in which schema, and whether this role may read them.
select n.nspname, c.relname, c.relkind = 'S',
       has_schema_privilege(n.oid, 'usage')
       and case when c.relkind = 'S' then has_sequence_privilege(c.oid, 'select')
                else has_table_privilege(c.oid, 'select') end
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname in (%(gacl)s, %(col)s)
  and (c.relname = any (%(tables)s) and c.relkind = 'r' or c.relname = any (%(sequences)s) and c.relkind = 'S')
