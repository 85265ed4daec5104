-- What some schemas hold: how many tables beside the tool's own, whether there is a version and a
-- history, and whether its columns that are read are of the server's own types: to sort or to cast
-- another one runs code of its owner's. Parameters: schemas, tool_tables, version, history.
select n.nspname::text,
       (select count(*) from pg_class c
        where c.relnamespace = n.oid and c.relkind in ('r', 'p')
          and c.relname <> all (%(tool_tables)s)),
       exists (select 1 from pg_class c
               where c.relnamespace = n.oid and c.relname = %(version)s),
       exists (select 1 from pg_class c
               where c.relnamespace = n.oid and c.relkind = 'r' and c.relname = %(history)s),
       not exists (select 1 from pg_class c
                   join pg_attribute a on a.attrelid = c.oid
                   join pg_type y on y.oid = a.atttypid
                   where c.relnamespace = n.oid and c.relname = %(history)s
                     and a.attname in ('migration_history_id', 'version')
                     and y.typnamespace <> (select oid from pg_namespace
                                            where nspname = 'pg_catalog'))
from pg_namespace n
where n.nspname = any (%(schemas)s)
