-- A schema's owner, and which kinds of objects that `maker` makes in it `role` may use wholly by
-- default. Parameters: schema, maker, role. No row: there is no such schema.
with wanted (kind, privileges) as (
    values ('r'::"char", array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES',
                               'TRIGGER']),
           ('S', array['SELECT', 'USAGE', 'UPDATE']),
           ('f', array['EXECUTE'])
)
select pg_catalog.pg_get_userbyid(n.nspowner)::text,
       array(select case w.kind when 'r' then 'tables' when 'S' then 'sequences'
                    else 'functions' end
             from wanted w
             where not exists (
                 select from pg_catalog.pg_default_acl d
                 where d.defaclnamespace = n.oid and d.defaclobjtype = w.kind
                   and d.defaclrole = (select oid from pg_catalog.pg_roles where rolname = %(maker)s)
                   and w.privileges <@ array(
                       select x.privilege_type::text from pg_catalog.aclexplode(d.defaclacl) x
                       where x.grantee = (select oid from pg_catalog.pg_roles
                                          where rolname = %(role)s)))
             order by 1)
from pg_catalog.pg_namespace n where n.nspname = %(schema)s
