-- The data schemas that use a rights schema: by their view aclgroup, or by the foreign key of their
-- table project_group (projet_group in 1.0, collection_group from 2.0 on). A site's own tables make no data schema.
-- One row for each: name, and whether a version can be read there. Parameters: gacl, archive,
-- version_table.
with rights as (
    select c.oid
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = %(gacl)s and c.relname = 'aclgroup' and c.relkind in ('r', 'p')
), users as (
    select v.relnamespace as schema
    from rights
    join pg_catalog.pg_depend d
      on d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = rights.oid
     and d.classid = 'pg_catalog.pg_rewrite'::regclass
    join pg_catalog.pg_rewrite r on r.oid = d.objid
    join pg_catalog.pg_class v on v.oid = r.ev_class and v.relname = 'aclgroup'
    union
    select t.relnamespace
    from rights
    join pg_catalog.pg_constraint k on k.contype = 'f' and k.confrelid = rights.oid
    join pg_catalog.pg_class t
      on t.oid = k.conrelid and t.relname in ('project_group', 'projet_group', 'collection_group')
)
select n.nspname::text,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'usage')
                and pg_catalog.has_table_privilege(v.oid, 'select'), false) as readable
from users
join pg_catalog.pg_namespace n on n.oid = users.schema
left join pg_catalog.pg_class v on v.relnamespace = n.oid and v.relname = %(version_table)s
where n.nspname not in (%(gacl)s, %(archive)s)
order by 1
