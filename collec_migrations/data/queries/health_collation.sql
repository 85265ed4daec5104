-- collations whose order may have changed under the indexes: the database's own (15), and others in use
select 'database', d.datcollversion, pg_database_collation_actual_version(d.oid)
from pg_database d
where d.datname = current_database()
  and d.datcollversion is distinct from pg_database_collation_actual_version(d.oid)
union all
select c.collname::text, c.collversion, pg_collation_actual_version(c.oid)
from pg_collation c
where c.collversion <> pg_collation_actual_version(c.oid)
  and exists (
      select from pg_depend p
      where p.refclassid = 'pg_collation'::regclass and p.refobjid = c.oid
  )
