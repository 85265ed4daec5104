-- roles that own something here or were given something; the server's own are left out
select r.rolname::text, quote_ident(r.rolname)
from pg_roles r
where r.rolname !~ '^pg_' and r.oid in (
    select refobjid from pg_shdepend
    where refclassid = 'pg_authid'::regclass
      and dbid in ((select oid from pg_database where datname = current_database()), 0)
      and (dbid <> 0 or classid = 'pg_database'::regclass
           and objid = (select oid from pg_database where datname = current_database()))
    union select datdba from pg_database where datname = current_database()
    -- what the first superuser owns is not in pg_shdepend
    union select relowner from pg_class where oid >= 16384
    union select nspowner from pg_namespace where oid >= 16384
    union select proowner from pg_proc where oid >= 16384
    union select setrole from pg_db_role_setting
    where setdatabase = (select oid from pg_database where datname = current_database())
)
order by 1
