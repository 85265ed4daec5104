-- Drop objects, the last to be made first; return the statements that make each of them again.
-- Each is told as [catalog, oid, kind, identity], in the order in which they can be made.
create or replace function pg_temp.collec_rights(
    what text, place text, object oid, owner oid, acl aclitem[]
) returns text language sql as $collec$
    select format(' alter %s owner to %I;', what, pg_get_userbyid(owner))
        || coalesce((select string_agg(format(' grant %s on %s to %s%s;', g.privilege_type, place,
               case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
               case when g.is_grantable then ' with grant option' else '' end), '')
           from aclexplode(acl) g where g.grantee <> owner), '')
        || coalesce(' comment on ' || what || ' is '
               || quote_literal(obj_description(object)) || ';', '')
$collec$;

create or replace function pg_temp.collec_definition(
    catalog text, object oid, kind text, shown text, out away text, out again text
) language plpgsql as $collec$
declare
    place text;
begin
    -- Only the branch that is taken is parsed: an older server has not all of these catalogs.
    if kind in ('view', 'materialized view') then
        select format('drop %s %s', kind, shown),
               format('create %s %s%s as%s%s', kind, shown,
                   ' with (' || array_to_string(c.reloptions, ', ') || ')', chr(10),
                   pg_get_viewdef(object))
               || coalesce((select string_agg(' ' || pg_get_indexdef(indexrelid) || ';', '')
                            from pg_index where indrelid = object), '')
               || coalesce((select string_agg(' ' || pg_get_ruledef(oid), '') from pg_rewrite
                            where ev_class = object and rulename <> '_RETURN'), '')
               || coalesce((select string_agg(' ' || pg_get_triggerdef(oid) || ';', '')
                            from pg_trigger where tgrelid = object and not tgisinternal), '')
               || pg_temp.collec_rights(kind || ' ' || shown, shown, object, c.relowner, c.relacl)
        into away, again from pg_class c where c.oid = object;
    elsif kind in ('function', 'procedure') then
        select format('drop %s %s', kind, shown),
               pg_get_functiondef(object) || ';' || pg_temp.collec_rights(
                   kind || ' ' || shown, kind || ' ' || shown, object, p.proowner, p.proacl)
        into away, again from pg_proc p where p.oid = object;
    elsif kind = 'foreign key' then
        select format('alter table %s drop constraint %I', conrelid::regclass, conname),
               format('alter table %s add constraint %I %s;', conrelid::regclass, conname,
                   pg_get_constraintdef(object))
        into away, again from pg_constraint where oid = object;
    elsif kind = 'rule' then
        select format('drop rule %I on %s', rulename, ev_class::regclass), pg_get_ruledef(object)
        into away, again from pg_rewrite where oid = object;
    elsif kind = 'trigger' then
        select format('drop trigger %I on %s', tgname, tgrelid::regclass),
               pg_get_triggerdef(object) || ';'
        into away, again from pg_trigger where oid = object;
    elsif kind = 'generated column' then
        select format('alter table %s drop column %I', a.attrelid::regclass, a.attname),
               format('alter table %s add column %I %s generated always as (%s) %s;',
                   a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod),
                   pg_get_expr(d.adbin, d.adrelid),
                   case to_json(a) ->> 'attgenerated' when 'v' then 'virtual' else 'stored' end)
        into away, again
        from pg_attrdef d
        join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
        where d.oid = object;
    elsif kind = 'policy' then
        select format('drop policy %I on %s', p.polname, p.polrelid::regclass),
               format('create policy %I on %s%s for %s to %s%s%s;', p.polname, p.polrelid::regclass,
                   case to_json(p) ->> 'polpermissive' when 'false' then ' as restrictive' end,
                   case p.polcmd when 'r' then 'select' when 'a' then 'insert'
                       when 'w' then 'update' when 'd' then 'delete' else 'all' end,
                   (select string_agg(case when one = 0 then 'public'
                        else quote_ident(pg_get_userbyid(one)) end, ', ')
                    from unnest(p.polroles) one),
                   ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                   ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
        into away, again from pg_policy p where p.oid = object;
    elsif kind = 'publication' then
        select format('alter publication %I drop table %s', p.pubname, r.prrelid::regclass),
               format('alter publication %I add table %s%s%s;', p.pubname, r.prrelid::regclass,
                   (select ' (' || string_agg(quote_ident(a.attname), ', ' order by a.attnum) || ')'
                    from pg_attribute a
                    where a.attrelid = r.prrelid and a.attnum = any (r.prattrs::smallint[])),
                   ' where (' || pg_get_expr(r.prqual, r.prrelid) || ')')
        into away, again
        from pg_publication_rel r
        join pg_publication p on p.oid = r.prpubid
        where r.oid = object;
    end if;
end
$collec$;

create or replace function pg_temp.collec_drop_dependents(objects json) returns text[]
language plpgsql as $collec$
declare
    found record;
    away text[];
    again text[];
begin
    for found in
        select d.* from json_array_elements(objects) with ordinality as o (one, place),
            pg_temp.collec_definition(one ->> 0, (one ->> 1)::oid, one ->> 2, one ->> 3) d
        order by place
    loop
        away := found.away || away;
        again := again || found.again;
    end loop;
    for place in 1 .. array_length(away, 1) loop
        execute away[place];
    end loop;
    return again;
end
$collec$;
