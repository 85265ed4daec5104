-- Watch the tables that a statement's code may change: what it deletes or overwrites is kept.
do $collec_rows$
declare
    watched record;
    event record;
begin
    if current_setting('server_version_num')::integer < 100000 then
        return;  -- transition tables came with 10
    end if;
    create function {col}.collec_kept_rows() returns trigger language plpgsql as $collec_kept$
    declare
        origin text := format('%I.%I', tg_table_schema, tg_table_name);
        source text := case tg_op when 'TRUNCATE' then origin else 'gone' end;
        details text := format(': rows %s (%s)',
            case tg_op when 'UPDATE' then 'before they changed' else 'deleted' end, tg_argv[2]);
        number integer := 0;
        suffix text;
        name text;
        target text;
        holds boolean;
    begin
        execute format('select exists (select 1 from %s)', source) into holds;
        if not holds then
            return null;
        end if;
        loop
            number := number + 1;
            suffix := tg_argv[1] || case when number > 1 then '_' || number else '' end;
            name := tg_table_name;
            while octet_length(name || suffix) > 63 loop
                name := left(name, -1);
            end loop;
            name := name || suffix;
            target := format('%I.%I', tg_argv[0], name);
            if to_regclass(target) is null then
                if not exists (select 1 from pg_namespace where nspname = tg_argv[0]) then
                    execute format('create schema %I', tg_argv[0]);
                end if;
                execute format('create table %s as select * from %s', target, source);
                execute format('comment on table %s is %L', target, {begins}
                    || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                    || ' from ' || tg_table_schema || '.' || tg_table_name || details);
                return null;
            elsif right(obj_description(to_regclass(target), 'pg_class'), length(details)) = details
            then
                begin
                    execute format('insert into %s select * from %s', target, source);
                    return null;
                exception when syntax_error or datatype_mismatch then
                    null;  -- the table has other columns by now
                end;
            end if;
        end loop;
    end
    $collec_kept$;
    for watched in
        with recursive home (oid, archive) as (
            select n.oid, given.archive
            from (values ({gacl_name}, {gacl_archive}), ({col_name}, {col_archive}))
                as given (name, archive)
            join pg_namespace n on n.nspname = given.name
        ),
        thing (class, oid, name, body) as (
            select c.tableoid, c.oid, c.relname,
                   case when c.relkind = 'v' then pg_get_viewdef(c.oid) end
            from pg_class c where c.relkind in ('r', 'p', 'v') and c.relnamespace in (select oid from home)
            union all
            select p.tableoid, p.oid, p.proname, p.prosrc
            from pg_proc p where p.pronamespace in (select oid from home)
        ),
        word (class, oid, name, body, pattern) as (
            select class, oid, name, body, '(^|[^[:alnum:]_])'
                || regexp_replace(name, '([^[:alnum:]_])', '\\\1', 'g') || '([^[:alnum:]_]|$)'
            from thing
        ),
        reached (class, oid, body) as (
            select class, oid, body from word
            where {table} = '' and {text} ~* pattern
            union
            select class, oid, body from word where oid = to_regclass(nullif({table}, ''))
            union
            select w.class, w.oid, w.body from reached r join word w
                on r.body ~* w.pattern
                or w.oid in (select tgfoid from pg_trigger
                             where tgrelid = r.oid and not tgisinternal
                               and (r.class, w.class) = ('pg_class'::regclass, 'pg_proc'::regclass))
                or ({cascades} and w.oid in (
                    select conrelid from pg_constraint
                    where confrelid = r.oid and contype = 'f' and confdeltype in ('c', 'n', 'd')))
        )
        select distinct c.oid::regclass as name, h.archive
        from reached r
        join pg_class c on c.oid = r.oid and r.class = 'pg_class'::regclass and c.relkind in ('r', 'p')
        join home h on h.oid = c.relnamespace
        where c.oid is distinct from to_regclass(nullif({table}, ''))
          and c.relname not in ({tool_tables})
    loop
        for event in
            select * from (values
                ('u', 'after update', 'referencing old table as gone'),
                ('d', 'after delete', 'referencing old table as gone'),
                ('t', 'before truncate', '')) as given (mark, moment, rows)
        loop
            begin
                execute format('create trigger collec_kept_%s %s on %s %s for each statement '
                    'execute procedure %I.collec_kept_rows(%L, %L, %L)',
                    event.mark, event.moment, watched.name, event.rows,
                    {col_name}, watched.archive, {suffix}, {place});
            exception when insufficient_privilege then
                raise warning 'rows of % that % changes are not kept: no right to watch it',
                    watched.name, {place};
            end;
        end loop;
    end loop;
end
$collec_rows$;
