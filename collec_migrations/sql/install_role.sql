-- A role: what it may do, and how its password is kept. Parameter: role.
select r.rolcanlogin, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolreplication,
       -- 9.5 brought the column.
       coalesce((row_to_json(r) ->> 'rolbypassrls')::boolean, false), r.rolconnlimit, r.rolvaliduntil < now(),
       case when a.rolpassword is null then '' when a.rolpassword like 'SCRAM-SHA-256$%%'
            then 'scram-sha-256' when a.rolpassword like 'md5%%' then 'md5' else 'clear' end,
       array(with recursive held as (
                 select roleid from pg_catalog.pg_auth_members where member = r.oid
                 union select m.roleid from pg_catalog.pg_auth_members m
                 join held on held.roleid = m.member)
             select pg_catalog.pg_get_userbyid(roleid)::text from held order by 1)
from pg_catalog.pg_roles r join pg_catalog.pg_authid a on a.oid = r.oid
where r.rolname = %(role)s
