-- The queries of some views, with unqualified names where this role may use the schemas.
select set_config('collec_migrations.search_path', current_setting('search_path'), true),
       set_config('search_path', %(path)s, true);

with query as (
    select v.relname::text as name, pg_get_viewdef(v.oid) as definition
    from pg_class v
    join pg_namespace n on n.oid = v.relnamespace
    where n.nspname = %(col)s and v.relkind = 'v' and v.relname = any (%(views)s)
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
