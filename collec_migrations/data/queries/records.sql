-- The tables that tell a version: in which schema, and whether this role may read them.
select n.nspname, c.relname,
       has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname in (%(gacl)s, %(col)s) and c.relkind = 'r'
  and c.relname in ('dbversion', 'dbparam', 'dataset_type', 'alembic_version', 'migration_history')
