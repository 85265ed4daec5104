-- Owner of a schema, and what default privileges give away on new objects. Parameter: schema.
select pg_catalog.pg_get_userbyid(n.nspowner)::text as schema_owner,
       pg_catalog.pg_get_userbyid(d.defaclrole)::text as owner,
       case d.defaclobjtype when 'r' then 'table' when 'S' then 'sequence'
           when 'f' then 'function' when 'T' then 'type' end as kind,
       case when a.grantee = 0 then null else pg_catalog.pg_get_userbyid(a.grantee)::text end
           as grantee,
       a.privilege_type::text, a.is_grantable
from pg_catalog.pg_namespace n
left join pg_catalog.pg_default_acl d
       on d.defaclnamespace in (0, n.oid) and d.defaclobjtype in ('r', 'S', 'f', 'T')
left join lateral (select * from pg_catalog.aclexplode(d.defaclacl) x
                   where x.grantee <> d.defaclrole) a on true
where n.nspname = %(schema)s
