-- The tables that tell a version: in which schema, and whether this role may read them.
select n.nspname, c.relname,
       has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
       -- A cast to json that the owner of a type made would be called by row_to_json.
       and not exists (select 1 from pg_attribute a
                       join pg_type y on y.oid = a.atttypid
                       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                         and y.typnamespace <> (select oid from pg_namespace
                                                where nspname = 'pg_catalog'))
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname in (%(gacl)s, %(col)s) and c.relkind = 'r'
  and c.relname in ('dbversion', 'dbparam', 'dataset_type', 'alembic_version', 'migration_history')
