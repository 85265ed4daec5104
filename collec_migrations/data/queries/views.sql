-- Whether views return what they should: each query and the one it is compared with, on the same
-- rows. The body of a `do` block: what fails is caught here, so that the server logs no ERROR.
-- What is asked for stands in a setting of the transaction, and so does the answer; with it the
-- bodies of functions, of which none is called.
-- A view's query is run only if it calls functions of PostgreSQL's own alone, which are pinned and
-- so no dependency, and reads the two schemas alone.
declare
    asked record;
    view oid;
    site text;
    wanted text[];
    found text[];
    answers json[] := array[]::json[];
    given json := current_setting('collec_migrations.views');
    gacl name := given ->> 'gacl';
    col name := given ->> 'col';
    rows text := 'with %s select array(select row_to_json(told)::text'
        ' from (select %s from (%s) as viewed) as told order by 1)';
begin
    for asked in
        select * from json_to_recordset(given -> 'asked')
            as one (name text, version text, columns text, query text, tables text)
    loop
        wanted := null;
        begin
            select v.oid into strict view
            from pg_class v
            join pg_namespace n on n.oid = v.relnamespace
            where n.nspname = col and v.relname = asked.name and v.relkind = 'v'
              and not exists (
                  select 1
                  from pg_rewrite w
                  join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                  left join pg_class c
                    on d.refclassid = 'pg_class'::regclass and c.oid = d.refobjid
                  where w.ev_class = v.oid
                    and (c.oid is null
                         or c.relnamespace not in (select s.oid from pg_namespace s
                                                   where s.nspname in (gacl, col)))
              );
            perform set_config('search_path', given ->> 'path', true);
            site := pg_catalog.pg_get_viewdef(view);
            perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
            if not has_schema_privilege(col, 'usage')
               or not has_schema_privilege(gacl, 'usage') then
                site := replace(replace(site, quote_ident(col) || '.', ''),
                                quote_ident(gacl) || '.', '');
            end if;
            execute format(rows, asked.tables, asked.columns, rtrim(site, '; '))
                into found;
            execute format(rows, asked.tables, asked.columns, asked.query) into wanted;
        exception when others then
            wanted := null;
        end;
        answers := answers || json_build_object('view', asked.name, 'version', asked.version,
                                                'same', wanted = found);
    end loop;
    perform set_config('search_path', current_setting('collec_migrations.search_path'), true);
    perform set_config('collec_migrations.views', json_build_object(
        'views', to_json(answers),
        'functions', (select coalesce(json_agg(json_build_array(p.proname, p.prosrc, concat_ws(' ',
                          l.lanname, case p.provolatile when 'i' then 'immutable'
                                                        when 's' then 'stable' end,
                          case when p.proisstrict then 'strict' end,
                          case when p.prosecdef then 'security definer' end,
                          array_to_string(p.proconfig, ' ')))), '[]'::json)
                      from pg_proc p
                      join pg_language l on l.oid = p.prolang
                      join pg_namespace n on n.oid = p.pronamespace
                      where n.nspname = col)
    )::text, true);
end
