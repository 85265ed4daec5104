-- The objects of some schemas with their owners and explicit rights: one row for each right, or one
-- without any. What belongs to an extension is its maker's. Then a row of kind `schema` for each
-- schema, and one of kind `default` for each right that default privileges give away on new objects,
-- with the kind of these for a name. Parameter: schemas.
with schemas as (
    select n.oid, n.nspname::text as name, n.nspowner as owner
    from pg_catalog.pg_namespace n
    where n.nspname = any (%(schemas)s)
), objects as (
    select n.name as schema, case c.relkind when 'S' then 'sequence' when 'v' then 'view'
               when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end
               as kind,
           c.oid, c.relname::text as name, c.relowner as owner, c.relacl as acl,
           exists (select 1 from pg_catalog.pg_depend d
                   where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
                     and d.objsubid = 0 and d.deptype in ('a', 'i')
                     and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjsubid > 0)
               as follows
    from pg_catalog.pg_class c
    join schemas n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select n.name, 'function', p.oid,
           p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
           p.proowner, p.proacl, false
    from pg_catalog.pg_proc p
    join schemas n on n.oid = p.pronamespace
    union all
    select n.name, case t.typtype when 'd' then 'domain' else 'type' end, t.oid, t.typname::text,
           t.typowner, t.typacl, false
    from pg_catalog.pg_type t
    join schemas n on n.oid = t.typnamespace
    where t.typtype in ('e', 'd', 'c')
      and not exists (select 1 from pg_catalog.pg_class c
                      where c.oid = t.typrelid and c.relkind <> 'c')
)
select o.schema, o.kind, o.oid::bigint, o.name, pg_catalog.pg_get_userbyid(o.owner)::text as owner, o.follows,
       a.grantee is not null as granted,
       case when a.grantee = 0 then null else pg_catalog.pg_get_userbyid(a.grantee)::text end
           as grantee,
       a.privilege_type::text, a.is_grantable
from objects o
left join lateral (select * from pg_catalog.aclexplode(o.acl) x where x.grantee <> o.owner) a on true
where not exists (
    select 1 from pg_catalog.pg_depend d
    where d.deptype = 'e' and d.objid = o.oid
      and d.classid = case when o.kind = 'function' then 'pg_catalog.pg_proc'::regclass
                           when o.kind in ('type', 'domain') then 'pg_catalog.pg_type'::regclass
                           else 'pg_catalog.pg_class'::regclass end)
union all
select n.name, 'schema', n.oid::bigint, '', pg_catalog.pg_get_userbyid(n.owner)::text, false, false,
       null, null, null
from schemas n
union all
select n.name, 'default', null,
       case d.defaclobjtype when 'r' then 'table' when 'S' then 'sequence'
           when 'f' then 'function' when 'T' then 'type' end,
       pg_catalog.pg_get_userbyid(d.defaclrole)::text, false, true,
       case when a.grantee = 0 then null else pg_catalog.pg_get_userbyid(a.grantee)::text end,
       a.privilege_type::text, a.is_grantable
from schemas n
join pg_catalog.pg_default_acl d
  on d.defaclnamespace in (0, n.oid) and d.defaclobjtype in ('r', 'S', 'f', 'T')
cross join lateral (select * from pg_catalog.aclexplode(d.defaclacl) x
                    where x.grantee <> d.defaclrole) a
order by 1, 2, 4
