-- Every fact of a pair of schemas: role, kind, name, definition (see catalog.Fact).
--
-- Runs on servers 9.4 to 18, as any role: only pg_catalog is read. The search path is emptied
-- while it runs, so that every name outside pg_catalog comes with its schema whatever the session
-- or the role's rights say; the caller strips those names. `everything` is read to its end before
-- `restored` puts the path back.
select set_config('collec_migrations.search_path', current_setting('search_path'), true),
       set_config('search_path', 'pg_catalog, pg_temp', true);

with space as (
    select oid, case nspname when %(gacl)s then 'gacl' else 'col' end as role
    from pg_namespace
    where nspname in (%(gacl)s, %(col)s)
), extension_member as (
    select classid, objid from pg_depend where deptype = 'e'
), relation as (
    -- The only scan of pg_class: what follows goes by oid, for databases of many tables.
    select c.oid, c.relname, c.relkind, space.role
    from pg_class c
    join space on space.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'S')
      and not (c.relkind in ('r', 'p') and c.relname = any (%(tool_tables)s))
      and not exists (
          select 1 from extension_member e
          where e.classid = 'pg_class'::regclass and e.objid = c.oid
      )
), tables as (
    select oid, relname, role from relation where relkind in ('r', 'p')
), everything as (
    select role, 'table' as kind, relname::text as name, '' as definition from tables
    union all
    select t.role, 'column', t.relname || '.' || a.attname,
           format_type(a.atttypid, a.atttypmod)
           || case when a.attnotnull then ' not null' else '' end
           || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
    from tables t
    join pg_attribute a on a.attrelid = t.oid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = any (array(select oid from tables))
      and a.attnum > 0 and not a.attisdropped
    union all
    select t.role, 'constraint', t.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
    from tables t
    join pg_constraint k on k.conrelid = t.oid
    where k.conrelid = any (array(select oid from tables))
      -- From 18 on, NOT NULL is a constraint; it is told with its column.
      and k.contype <> 'n'
    union all
    select t.role, 'index', i.relname,
           'on ' || case when x.indisunique then 'UNIQUE ' else '' end
           || substr(pg_get_indexdef(i.oid),
                     length('CREATE ' || case when x.indisunique then 'UNIQUE ' else '' end
                            || 'INDEX ' || quote_ident(i.relname) || ' ON ') + 1)
    from tables t
    join pg_index x on x.indrelid = t.oid
    join pg_class i on i.oid = x.indexrelid
    where x.indrelid = any (array(select oid from tables))
      and not exists (
          select 1 from pg_constraint k
          where k.conindid = x.indexrelid and k.conrelid = x.indrelid
            and k.contype in ('p', 'u', 'x')
      )
    union all
    select v.role, 'view', v.relname,
           (select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', '
                              order by a.attnum)
            from pg_attribute a where a.attrelid = v.oid and a.attnum > 0)
    from relation v
    where v.relkind in ('v', 'm')
    union all
    select s.role, 'sequence', s.relname,
           coalesce((select 'owned by ' || o.relname || '.' || a.attname
                     from pg_depend d
                     join pg_class o on o.oid = d.refobjid
                     join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
                     where d.classid = 'pg_class'::regclass and d.objid = s.oid
                       and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')), '')
    from relation s
    where s.relkind = 'S'
      and not exists (
          select 1
          from pg_depend d
          join pg_class o on o.oid = d.refobjid
          where d.classid = 'pg_class'::regclass and d.objid = s.oid
            and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
            and o.relname = any (%(tool_tables)s)
            and o.relnamespace in (select oid from space)
      )
    union all
    select space.role, 'function',
           p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
           coalesce('returns ' || pg_get_function_result(p.oid), '')
    from pg_proc p
    join space on space.oid = p.pronamespace
    where not exists (
        select 1 from extension_member e
        where e.classid = 'pg_proc'::regclass and e.objid = p.oid
    )
    union all
    -- A trigger can stand on a view too. Before 11 a function was executed as a procedure.
    select r.role, 'trigger', r.relname || '.' || t.tgname,
           replace(substr(pg_get_triggerdef(t.oid),
                          strpos(pg_get_triggerdef(t.oid), 'TRIGGER ')
                          + length('TRIGGER ' || quote_ident(t.tgname)) + 1),
                   ' EXECUTE PROCEDURE ', ' EXECUTE FUNCTION ')
    from relation r
    join pg_trigger t on t.tgrelid = r.oid
    where t.tgrelid = any (array(select oid from relation))
      and not t.tgisinternal
    union all
    select space.role, 'type', y.typname, y.typtype::text
    from pg_type y
    join space on space.oid = y.typnamespace
    where y.typtype in ('e', 'd')
      and not exists (
          select 1 from extension_member e
          where e.classid = 'pg_type'::regclass and e.objid = y.oid
      )
    union all
    -- What the definitions above may name without it being part of them.
    select 'extension', 'schema', n.nspname, ''
    from pg_extension x
    join pg_namespace n on n.oid = x.extnamespace
    union all
    -- PostgreSQL's own function of that name is found first, so the schema has a meaning.
    select 'extension', 'shadowed', p.proname, ''
    from pg_proc p
    where p.pronamespace in (select oid from pg_namespace where nspname = 'public'
                             union select oid from space
                             union select extnamespace from pg_extension
                                   where extname <> 'plpgsql')
      and p.pronamespace <> (select oid from pg_namespace where nspname = 'pg_catalog')
      and exists (select 1 from pg_proc own
                  where own.proname = p.proname
                    and own.pronamespace = (select oid from pg_namespace
                                            where nspname = 'pg_catalog'))
), restored as (
    select case when count(*) >= 0
           then set_config('search_path', current_setting('collec_migrations.search_path'), true)
           end as search_path
    from everything
)
select everything.role, everything.kind, everything.name, everything.definition
from restored
left join everything on true
