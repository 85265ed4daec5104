-- Owners, what the application's role may not do, and what this session may read. The role is
-- the one given, else the owner of most tables; its row names both. Of tables that are read whole
-- no column may be of a type of somebody's own, whose cast to json would be called.
with space as (
    select oid, nspname, nspowner, nspacl,
           case nspname when %(gacl)s then 'gacl' else 'col' end as role
    from pg_namespace
    where nspname in (%(gacl)s, %(col)s)
), relation as (
    select c.oid, c.relname, c.relkind, c.relowner, space.role, space.oid as space
    from pg_class c
    join space on space.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'S')
      and not (c.relkind in ('r', 'p') and c.relname = any (%(tool_tables)s))
      and not exists (
          select 1 from pg_depend d
          where d.classid = 'pg_class'::regclass and d.objid = c.oid
            and (d.deptype = 'e'
                 or (d.deptype in ('a', 'i') and d.refclassid = 'pg_class'::regclass
                     and (select o.relname from pg_class o where o.oid = d.refobjid)
                         = any (%(tool_tables)s)))
      )
), strange as (
    select c.oid
    from pg_class c
    join space on space.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_type y on y.oid = a.atttypid
    where c.relname = any (%(whole)s)
      and y.typnamespace <> (select oid from pg_namespace where nspname = 'pg_catalog')
), majority as (
    select relowner as owner from relation
    where relkind in ('r', 'p')
    group by relowner
    order by count(*) desc, relowner
    limit 1
), application as (
    select coalesce((select oid from pg_roles where rolname = %(role)s),
                    (select owner from majority)) as oid
), object as (
    select r.role, r.oid, r.relowner as owner, r.relname::text as name,
           case r.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'view'
               else 'table' end as kind,
           case when r.relkind = 'S' then
               array_remove(array[
                   case when not has_sequence_privilege(a.oid, r.oid, 'usage')
                        then 'usage' end], null)
           when r.relkind in ('v', 'm') then
               array_remove(array[
                   case when not has_table_privilege(a.oid, r.oid, 'select')
                        then 'select' end], null)
           else
               array_remove(array[
                   case when not has_table_privilege(a.oid, r.oid, 'select') then 'select' end,
                   case when not has_table_privilege(a.oid, r.oid, 'insert') then 'insert' end,
                   case when not has_table_privilege(a.oid, r.oid, 'update') then 'update' end,
                   case when not has_table_privilege(a.oid, r.oid, 'delete') then 'delete' end],
                   null)
           end as lacking,
           has_table_privilege(r.oid, 'select') and has_schema_privilege(r.space, 'usage')
               and (r.relname <> all (%(whole)s) or r.oid not in (select oid from strange))
               as readable
    from relation r, application a
    union all
    select space.role, c.oid, c.relowner, c.relname, 'tool table', array[]::text[],
           has_table_privilege(c.oid, 'select') and has_schema_privilege(space.oid, 'usage')
               and c.oid not in (select oid from strange)
    from pg_class c
    join space on space.oid = c.relnamespace
    where c.relkind = 'r' and c.relname = any (%(tool_tables)s)
    union all
    select space.role, p.oid, p.proowner,
           p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', 'function',
           array_remove(array[case when not has_function_privilege(a.oid, p.oid, 'execute')
                                   then 'execute' end], null),
           true
    from pg_proc p
    join space on space.oid = p.pronamespace, application a
    where not exists (select 1 from pg_depend d
                      where d.classid = 'pg_proc'::regclass and d.objid = p.oid
                        and d.deptype = 'e')
    union all
    select space.role, space.oid, space.nspowner, space.role, 'schema',
           array_remove(array[case when not has_schema_privilege(a.oid, space.oid, 'usage')
                                   then 'usage' end], null),
           true
    from space, application a
)
select role, kind, name::text, pg_get_userbyid(owner)::text as owner,
       array_to_string(lacking, ', ') as lacking, readable
from object
union all
select 'application', 'role', pg_get_userbyid(a.oid)::text, pg_get_userbyid(m.owner)::text,
       '', true
from application a, majority m
union all
select 'extension', 'schema', x.extname::text, n.nspname::text, '', true
from pg_extension x
join pg_namespace n on n.oid = x.extnamespace
