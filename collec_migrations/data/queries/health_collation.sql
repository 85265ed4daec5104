-- collations whose order may have changed under the indexes: the database's own (15), and others in
-- use; without a recorded version, as pg_upgrade leaves them, nobody can tell
select '', d.datcollversion, pg_database_collation_actual_version(d.oid)
from pg_database d
where d.datname = current_database()
  and d.datcollversion is distinct from pg_database_collation_actual_version(d.oid)
union all
select c.oid::regcollation::text, c.collversion, pg_collation_actual_version(c.oid)
from pg_collation c
where c.collversion is distinct from pg_collation_actual_version(c.oid)
  and exists (
      select from pg_depend p
      where p.refclassid = 'pg_collation'::regclass and p.refobjid = c.oid
  )
