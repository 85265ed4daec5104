-- The queries of some views that call no function of anybody's own, with unqualified names where this role may use the schemas.
select set_config('collec_migrations.search_path', current_setting('search_path'), true),
       set_config('search_path', %(path)s, true);

with query as (
    select v.relname::text as name, pg_get_viewdef(v.oid) as definition
    from pg_class v
    join pg_namespace n on n.oid = v.relnamespace
    where n.nspname = %(col)s and v.relkind = 'v' and v.relname = any (%(views)s)
      -- Its query will be run: it may call PostgreSQL's own functions alone, which are pinned and
      -- so no dependency, and read the two schemas alone.
      and not exists (
          select 1
          from pg_rewrite w
          join pg_depend d on d.classid = 'pg_rewrite'::regclass::oid and d.objid = w.oid
          left join pg_class c on d.refclassid = 'pg_class'::regclass::oid and c.oid = d.refobjid
          where w.ev_class = v.oid
            and (c.oid is null
                 or c.relnamespace not in (select s.oid from pg_namespace s
                                           where s.nspname in (%(gacl)s, %(col)s)))
      )
), restored as (
    select case when count(*) >= 0
           then set_config('search_path', current_setting('collec_migrations.search_path'), true)
           end as search_path
    from query
)
select q.name, q.definition,
       has_schema_privilege(%(col)s, 'usage') and has_schema_privilege(%(gacl)s, 'usage')
from restored
join query q on true
