-- A role: what it may do, how its password is kept, and the roles that it is a member of which give
-- more than rights on objects. Parameter: role.
with recursive held as (
    select m.roleid from pg_catalog.pg_auth_members m
    join pg_catalog.pg_roles r on r.oid = m.member where r.rolname = %(role)s
    union
    select m.roleid from pg_catalog.pg_auth_members m join held on held.roleid = m.member
)
select r.rolcanlogin, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolreplication,
       -- 9.5 brought the column.
       coalesce((row_to_json(r) ->> 'rolbypassrls')::boolean, false), r.rolconnlimit, r.rolvaliduntil < now(),
       case when a.rolpassword is null then '' when a.rolpassword like 'SCRAM-SHA-256$%%'
            then 'scram-sha-256' when a.rolpassword like 'md5%%' then 'md5' else 'clear' end,
       array(select h.rolname::text from held join pg_catalog.pg_roles h on h.oid = held.roleid
             where h.rolname like 'pg\_%%' or h.rolsuper or h.rolcreatedb or h.rolcreaterole
                or h.rolreplication order by 1)
from pg_catalog.pg_roles r join pg_catalog.pg_authid a on a.oid = r.oid
where r.rolname = %(role)s
