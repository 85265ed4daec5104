-- Written by collec-migrations; run it with: psql -d DATABASE -f FILE
\set ON_ERROR_STOP on
set client_encoding = 'UTF8';
set standard_conforming_strings = on;
set client_min_messages = warning;
set lock_timeout = '5000 ms';

BEGIN;

do $$
begin
    if not (select pg_catalog.pg_try_advisory_xact_lock(109330211562851)) then
        raise 'another run holds this database';
    end if;
end
$$;

-- Running upgrade 1.0.8 -> 1.1

-- What a step removes is kept in an archive schema, and comes back with the step the other way.
-- These functions live in pg_temp for as long as a run needs them. `live` and `store` are the two
-- schemas; `old` and `new` the versions of the step under way. The table collec_archive of an
-- archive schema says what is in it: for each relation the step that made it (version_from to
-- version_to), its source, and by which names source and key go in the version reached.

create or replace function pg_temp.collec_relation(live text, relation text) returns oid
language sql as $collec$
    select c.oid
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = live and c.relname = relation
$collec$;

create or replace function pg_temp.collec_columns(relation oid) returns text[]
language sql as $collec$
    select coalesce(array_agg(attname::text order by attnum), '{}')
    from pg_catalog.pg_attribute
    where attrelid = relation and attnum > 0 and not attisdropped
$collec$;

-- The columns that tell rows apart: the primary key, else a unique key that takes no nulls.
create or replace function pg_temp.collec_key(relation oid) returns text[]
language sql as $collec$
    select array(
        select a.attname::text
        from pg_catalog.unnest(x.indkey::smallint[]) with ordinality as part (number, place)
        join pg_catalog.pg_attribute a on a.attrelid = relation and a.attnum = part.number
        order by part.place
    )
    from pg_catalog.pg_index x
    where x.indrelid = relation and x.indisunique and x.indisvalid
      and x.indpred is null and x.indexprs is null
      and (x.indisprimary or not exists (
          select 1 from pg_catalog.pg_attribute a
          where a.attrelid = relation and a.attnum = any (x.indkey) and not a.attnotnull))
    order by x.indisprimary desc, x.indexrelid
    limit 1
$collec$;

create or replace function pg_temp.collec_foreign_keys(relation oid, wanted text[]) returns json
language sql as $collec$
    select coalesce(json_agg(found), '[]')
    from (
        select n.nspname as schema, c.relname as "table",
               array(select a.attname::text
                     from pg_catalog.unnest(k.conkey) with ordinality as part (number, place)
                     join pg_catalog.pg_attribute a
                       on a.attrelid = k.conrelid and a.attnum = part.number
                     order by part.place) as columns,
               array(select a.attname::text
                     from pg_catalog.unnest(k.confkey) with ordinality as part (number, place)
                     join pg_catalog.pg_attribute a
                       on a.attrelid = k.confrelid and a.attnum = part.number
                     order by part.place) as "references"
        from pg_catalog.pg_constraint k
        join pg_catalog.pg_class c on c.oid = k.confrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where k.conrelid = relation and k.contype = 'f'
    ) as found
    where wanted is null or found.columns <@ wanted
$collec$;

-- `a.x = t.x and a.y = t.y`
create or replace function pg_temp.collec_join(ours text[], theirs text[]) returns text
language sql as $collec$
    select string_agg(format('a.%I = t.%I', pair.one, pair.other), ' and ')
    from (select pg_catalog.unnest(ours) as one, pg_catalog.unnest(theirs) as other) as pair
$collec$;

-- The condition on `a` that what its foreign keys refer to is there.
create or replace function pg_temp.collec_sound(foreign_keys json) returns text
language plpgsql as $collec$
declare
    one json;
    found text := 'true';
    columns text[];
    targets text[];
begin
    for one in select * from json_array_elements(foreign_keys) loop
        columns := array(select json_array_elements_text(one -> 'columns'));
        targets := array(select json_array_elements_text(one -> 'references'));
        if pg_temp.collec_relation(one ->> 'schema', one ->> 'table') is null
            or not targets <@ pg_temp.collec_columns(
                pg_temp.collec_relation(one ->> 'schema', one ->> 'table')) then
            found := found || format(' and (%s)', (
                select string_agg(format('a.%I is null', name), ' or ')
                from pg_catalog.unnest(columns) as name));
        else
            found := found || format(' and ((%s) or exists (select 1 from %I.%I t where %s))',
                (select string_agg(format('a.%I is null', name), ' or ')
                 from pg_catalog.unnest(columns) as name),
                one ->> 'schema', one ->> 'table', pg_temp.collec_join(columns, targets));
        end if;
    end loop;
    return found;
end
$collec$;

-- The condition on `a` that no row of a table has one of its unique values.
create or replace function pg_temp.collec_free(relation oid, known text[]) returns text
language plpgsql as $collec$
declare
    one record;
    found text := 'true';
begin
    for one in
        select array(
            select a.attname::text from pg_catalog.pg_attribute a
            where a.attrelid = relation and a.attnum = any (x.indkey)
        ) as columns
        from pg_catalog.pg_index x
        where x.indrelid = relation and x.indisunique
          and x.indpred is null and x.indexprs is null
    loop
        if one.columns <@ known then
            found := found || format(' and not exists (select 1 from %s t where %s)',
                relation::regclass, pg_temp.collec_join(one.columns, one.columns));
        end if;
    end loop;
    return found;
end
$collec$;

create or replace function pg_temp.collec_name(store text, wanted text) returns text
language plpgsql as $collec$
declare
    number integer := 1;
    suffix text := '';
    name text;
begin
    loop
        name := wanted;
        while octet_length(name || suffix) > 63 loop
            name := left(name, -1);
        end loop;
        name := name || suffix;
        exit when pg_temp.collec_relation(store, name) is null;
        number := number + 1;
        suffix := '_' || number;
    end loop;
    return name;
end
$collec$;

-- The archive schema and its table, made when there is something to keep for the first time.
create or replace function pg_temp.collec_open(store text) returns void
language plpgsql as $collec$
begin
    if not exists (select 1 from pg_catalog.pg_namespace where nspname = store) then
        begin
            execute format('create schema %I', store);
        exception when insufficient_privilege then
            raise exception 'this role may not make the archive %, which has to keep rows', store
                using errcode = '42501',
                hint = 'Run as a role that may create schemas in this database, or let a superuser '
                    'create this schema for the owner of the others.';
        end;
    end if;
    if pg_temp.collec_relation(store, 'collec_archive') is null then
        execute format($table$
            create table %I.collec_archive (
                collec_archive_id serial primary key,
                relation text not null unique,
                kind text not null,
                source_schema text not null,
                source text not null,
                columns text[] not null,
                keys text[],
                living text,
                living_columns text[] not null,
                living_keys text[],
                foreign_keys json not null,
                fills text[] not null,
                computed text[] not null,
                version_from text not null,
                version_to text,
                made timestamp with time zone not null default now(),
                rows bigint not null
            )$table$, store);
        execute format('comment on table %I.collec_archive is %L', store,
            'What steps between versions removed: see collec-migrations archive list.');
    end if;
end
$collec$;

create or replace function pg_temp.collec_is_open(store text) returns boolean
language sql as $collec$
    select pg_temp.collec_relation(store, 'collec_archive') is not null
$collec$;

-- Names in the version reached, by a JSON object of renames; null for what it does not have.
create or replace function pg_temp.collec_renamed(names text[], renames json) returns text[]
language sql as $collec$
    select array(
        select case when renames -> name is null then name else renames ->> name end
        from pg_catalog.unnest(names) with ordinality as one (name, place)
        order by place)
$collec$;

create or replace function pg_temp.collec_dependents(relation oid) returns text
language sql as $collec$
    select string_agg(distinct pg_catalog.pg_describe_object(d.classid, d.objid, 0), ', ')
    from pg_catalog.pg_depend d
    where d.deptype in ('n', 'a')
      and (d.refclassid, d.refobjid) in (
          select 'pg_class'::regclass, relation
          union all
          select 'pg_type'::regclass, reltype from pg_catalog.pg_class where oid = relation
      )
      and case d.classid
          when 'pg_rewrite'::regclass then exists (
              select 1 from pg_catalog.pg_rewrite r
              where r.oid = d.objid and r.ev_class <> relation)
          when 'pg_constraint'::regclass then exists (
              select 1 from pg_catalog.pg_constraint k
              where k.oid = d.objid and k.conrelid <> relation and k.conrelid <> 0)
          when 'pg_proc'::regclass then true
          when 'pg_class'::regclass then d.objid in (
              select inhrelid from pg_catalog.pg_inherits where inhparent = relation)
          when 'pg_attrdef'::regclass then exists (
              select 1 from pg_catalog.pg_attrdef f
              where f.oid = d.objid and f.adrelid <> relation)
          else false end
$collec$;

create or replace function pg_temp.collec_refuse_dependents(live text, relation text, what text)
returns void language plpgsql as $collec$
declare
    found text := pg_temp.collec_dependents(pg_temp.collec_relation(live, relation));
begin
    if found is not null then
        raise exception 'cannot drop % %.% because other objects depend on it', what, live, relation
            using errcode = '2BP01', detail = found;
    end if;
end
$collec$;

-- In place of `drop table`: an empty table is dropped, another one goes to the archive as it is.
create or replace function pg_temp.collec_move_table(
    live text, store text, source text, old text, new text
) returns void language plpgsql as $collec$
declare
    relation oid := pg_temp.collec_relation(live, source);
    many bigint;
    one record;
    foreign_keys json;
    name text;
begin
    if relation is not null then
        perform pg_temp.collec_refuse_dependents(live, source, 'table');
        execute format('select count(*) from only %I.%I', live, source) into many;
    end if;
    if relation is null or many = 0 then
        execute format('drop table %I.%I', live, source);
        return;
    end if;
    perform pg_temp.collec_open(store);
    foreign_keys := pg_temp.collec_foreign_keys(relation, null);
    for one in
        select conname from pg_catalog.pg_constraint where conrelid = relation and contype = 'f'
    loop
        execute format('alter table %I.%I drop constraint %I', live, source, one.conname);
    end loop;
    for one in
        select tgname from pg_catalog.pg_trigger where tgrelid = relation and not tgisinternal
    loop
        execute format('drop trigger %I on %I.%I', one.tgname, live, source);
    end loop;
    if exists (
        select 1
        from pg_catalog.pg_class here
        join pg_catalog.pg_class there on there.relname = here.relname
        join pg_catalog.pg_namespace n on n.oid = there.relnamespace and n.nspname = store
        where here.oid = relation
           or here.oid in (select indexrelid from pg_catalog.pg_index where indrelid = relation)
           or here.oid in (select objid from pg_catalog.pg_depend
                           where refobjid = relation and classid = 'pg_class'::regclass
                             and deptype in ('a', 'i'))
    ) then
        -- An older archive has these names.
        name := pg_temp.collec_name(store, source);
        execute format('create table %I.%I as table %I.%I', store, name, live, source);
        if pg_temp.collec_key(relation) is not null then
            execute format('alter table %I.%I add primary key (%s)', store, name, (
                select string_agg(format('%I', part), ', ')
                from pg_catalog.unnest(pg_temp.collec_key(relation)) as part));
        end if;
        execute format('drop table %I.%I', live, source);
        relation := pg_temp.collec_relation(store, name);
    else
        name := source;
        execute format('alter table %I.%I set schema %I', live, source, store);
        execute format('alter table %I.%I disable row level security', store, name);
    end if;
    if not exists (
        select 1 from pg_catalog.pg_index where indrelid = relation and indisprimary
    ) then
        execute format('alter table %I.%I replica identity full', store, name);
    end if;
    execute format(
        'insert into %I.collec_archive (relation, kind, source_schema, source, columns, keys,
            living_columns, foreign_keys, fills, computed, version_from, version_to, rows)
         values ($1, ''table'', $2, $3, $4, $5, ''{}'', $6, ''{}'', ''{}'', $7, $8, $9)', store)
        using name, live, source, pg_temp.collec_columns(relation), pg_temp.collec_key(relation),
              foreign_keys, old, new, many;
end
$collec$;

-- What makes dropped objects of the site's own again: nothing brings these back by itself.
create or replace function pg_temp.collec_keep_statements(
    live text, store text, old text, new text, objects text[], statements text[]
) returns void language plpgsql as $collec$
declare
    name text;
begin
    perform pg_temp.collec_open(store);
    name := pg_temp.collec_name(store, 'dropped_objects');
    execute format('create table %I.%I (dropped_object_id serial primary key,
        object text not null, statements text not null)', store, name);
    execute format('insert into %I.%I (object, statements)
        select objects[place], statements[place] from pg_catalog.generate_subscripts($1, 1) as place
        cross join (select $1 as objects, $2 as statements) as given order by place', store, name)
        using objects, statements;
    execute format(
        'insert into %I.collec_archive (relation, kind, source_schema, source, columns,
            living_columns, foreign_keys, fills, computed, version_from, version_to, rows)
         values ($1, ''statements'', $2, ''objects of the site'', ''{}'', ''{}'', ''[]'', ''{}'',
            ''{}'', $3, $4, $5)', store)
        using name, live, old, new, array_length(objects, 1);
end
$collec$;

-- In place of `drop sequence`.
create or replace function pg_temp.collec_move_sequence(
    live text, store text, source text, old text, new text
) returns void language plpgsql as $collec$
declare
    is_used boolean := false;
    value bigint;
begin
    if pg_temp.collec_relation(live, source) is not null then
        perform pg_temp.collec_refuse_dependents(live, source, 'sequence')
        where exists (
            select 1 from pg_catalog.pg_depend d
            join pg_catalog.pg_attrdef f on f.oid = d.objid and d.classid = 'pg_attrdef'::regclass
            join pg_catalog.pg_class c on c.oid = f.adrelid
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where d.refobjid = pg_temp.collec_relation(live, source) and n.nspname <> store);
        execute format('select last_value, is_called from %I.%I', live, source) into value, is_used;
    end if;
    if is_used and pg_temp.collec_relation(store, source) is not null then
        execute format('select setval(%L, greatest(last_value, $1)) from %I.%I',
            format('%I.%I', store, source), store, source) using value;
        is_used := false;
    end if;
    if not is_used then
        execute format('drop sequence %I.%I', live, source);
        return;
    end if;
    perform pg_temp.collec_open(store);
    execute format('alter sequence %I.%I set schema %I', live, source, store);
    execute format(
        'insert into %I.collec_archive (relation, kind, source_schema, source, columns,
            living_columns, foreign_keys, fills, computed, version_from, version_to, rows)
         values ($1, ''sequence'', $2, $1, ''{}'', ''{}'', ''[]'', ''{}'', ''{}'', $3, $4, 1)', store)
        using source, live, old, new;
end
$collec$;

-- Before a step: copy values of columns (kind columns, values) or whole rows (kind rows).
-- condition: which; null for columns: where one holds something else than its default.
-- fills: the columns of which the way back takes only what its script leaves null.
-- own_key: what tells rows apart in both versions; empty: the table's own key.
-- computed: columns that the script back computes; what it gives wins in rows changed since.
create or replace function pg_temp.collec_keep(
    live text, store text, old text, new text, kind text, source text, living text,
    wanted text[], renames json, condition text, fills text[], computed text[], own_key text[]
) returns void language plpgsql as $collec$
declare
    relation oid := pg_temp.collec_relation(live, source);
    keys text[] := case when own_key = '{}' then pg_temp.collec_key(relation) else own_key end;
    kept text[];
    holds boolean;
    name text;
    many bigint;
begin
    if relation is null then
        return;
    end if;
    kept := array(select one from pg_catalog.unnest(pg_temp.collec_columns(relation)) as one
                  where kind = 'rows' or one = any (wanted));
    if kept = '{}' then
        return;
    end if;
    if condition is null then
        select string_agg(
            case when d.adbin is null then format('%I is not null', a.attname)
                 when pg_get_expr(d.adbin, d.adrelid) ~ '\(' then 'true'
                 else format('%I::text is distinct from (%s)::text',
                             a.attname, pg_get_expr(d.adbin, d.adrelid)) end, ' or ')
        into condition
        from pg_catalog.pg_attribute a
        left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = relation and a.attname = any (kept);
    end if;
    execute format('select exists (select 1 from %I.%I where %s)', live, source, condition)
        into holds;
    if not holds then
        return;
    end if;
    if kept && computed then
        condition := 'true';
    end if;
    perform pg_temp.collec_open(store);
    name := pg_temp.collec_name(store, source
        || case kind when 'rows' then '_rows'
                     else '_' || array_to_string(kept[1:2], '_') end
        || '_' || translate(old, '.', '_'));
    execute format(
        'create table %I.%I as select %s, null::boolean as collec_same, null::text as collec_live
         from %I.%I where %s', store, name,
        (select string_agg(format('%I', one), ', ')
         from (select pg_catalog.unnest(keys) as one
               union select pg_catalog.unnest(kept)) as listed),
        live, source, condition);
    get diagnostics many = row_count;
    if keys is null then
        execute format('alter table %I.%I replica identity full', store, name);
    else
        execute format('alter table %I.%I add primary key (%s)', store, name, (
            select string_agg(format('%I', one), ', ') from pg_catalog.unnest(keys) as one));
    end if;
    execute format(
        'insert into %I.collec_archive (relation, kind, source_schema, source, columns, keys,
            living, living_columns, living_keys, foreign_keys, fills, computed, version_from,
            version_to, rows)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)', store)
        using name, kind, live, source, kept, keys, living,
              pg_temp.collec_renamed(kept, renames), pg_temp.collec_renamed(keys, renames),
              pg_temp.collec_foreign_keys(relation, kept), fills, computed, old, new, many;
end
$collec$;

create or replace function pg_temp.collec_forget(store text, name text) returns void
language plpgsql as $collec$
begin
    if pg_temp.collec_relation(store, name) in (
        select oid from pg_catalog.pg_class where relkind = 'S') then
        execute format('drop sequence %I.%I', store, name);
    else
        execute format('drop table %I.%I', store, name);
    end if;
    execute format('delete from %I.collec_archive where relation = $1', store) using name;
end
$collec$;

-- Drop an archive that has no rows any more; else note how many stay, and say so.
create or replace function pg_temp.collec_settle(store text, name text, reason text) returns void
language plpgsql as $collec$
declare
    many bigint;
begin
    execute format('select count(*) from %I.%I', store, name) into many;
    if many = 0 then
        perform pg_temp.collec_forget(store, name);
        return;
    end if;
    execute format('update %I.collec_archive set rows = $1 where relation = $2', store)
        using many, name;
    if reason <> '' then
        raise warning '% rows stay in the archive %.%: %', many, store, name, reason;
    end if;
end
$collec$;

-- Before a step back: deleted rows return, and it is noted what was not changed since.
create or replace function pg_temp.collec_before(live text, store text, old text, new text)
returns void language plpgsql as $collec$
declare
    one record;
    relation oid;
    present text[];
begin
    perform set_config('collec_migrations.returned', '', true);
    if not pg_temp.collec_is_open(store) then
        return;
    end if;
    perform pg_temp.collec_return_rows(live, store, old, new, true);
    for one in execute format(
        'select * from %I.collec_archive where version_from = $1 and version_to = $2
         and kind in (''values'', ''columns'') and keys is not null
         order by collec_archive_id', store) using new, old
    loop
        relation := pg_temp.collec_relation(live, one.living);
        present := pg_temp.collec_columns(relation);
        if relation is null or not one.living_keys <@ present then
            continue;
        end if;
        if one.kind = 'values' then
            execute format(
                'update %I.%I a set collec_same = collec_live is not distinct from t.%I::text
                 from %I.%I t where %s', store, one.relation, one.living_columns[1],
                live, one.living, pg_temp.collec_join(one.keys, one.living_keys));
        elsif one.computed <> '{}' then
            execute format(
                'update %I.%I a set collec_same = collec_live = md5(t::text)
                 from %I.%I t where %s', store, one.relation,
                live, one.living, pg_temp.collec_join(one.keys, one.living_keys));
        end if;
    end loop;
end
$collec$;

-- Insert deleted rows again, with the columns that both versions have; again and again, because
-- one may refer to another. Before the script, and once more after it: a row may need the shape
-- that it had.
create or replace function pg_temp.collec_return_rows(
    live text, store text, old text, new text, is_before boolean
) returns void language plpgsql as $collec$
declare
    one record;
    relation oid;
    target text;
    names text[];
    keys text[];
    shared integer[];
    many bigint;
    moved bigint := 1;
begin
    while moved > 0 loop
        moved := 0;
        for one in execute format(
            'select * from %I.collec_archive where version_from = $1 and version_to = $2
             and kind = ''rows'' and keys is not null order by collec_archive_id desc', store)
            using new, old
        loop
            target := case when is_before then one.living else one.source end;
            names := case when is_before then one.living_columns else one.columns end;
            keys := case when is_before then one.living_keys else one.keys end;
            relation := pg_temp.collec_relation(live, target);
            continue when relation is null or not keys <@ pg_temp.collec_columns(relation);
            shared := array(
                select place from pg_catalog.generate_subscripts(one.columns, 1) as place
                where names[place] = any (pg_temp.collec_columns(relation)));
            begin
                execute format(
                    'with back as (insert into %I.%I (%s) select %s from %I.%I a
                                   where a.collec_same is null and %s and %s returning *)
                     update %I.%I a set collec_same = true from back t where %s',
                    live, target,
                    (select string_agg(format('%I', names[place]), ', ')
                     from pg_catalog.unnest(shared) as place),
                    (select string_agg(format('a.%I', one.columns[place]), ', ')
                     from pg_catalog.unnest(shared) as place),
                    store, one.relation,
                    pg_temp.collec_free(relation, one.columns),
                    pg_temp.collec_sound(pg_temp.collec_foreign_keys(relation, one.columns)),
                    store, one.relation, pg_temp.collec_join(one.keys, keys));
                get diagnostics many = row_count;
                moved := moved + many;
            exception when integrity_constraint_violation then
                if not is_before then
                    raise warning 'rows of %.% cannot return: %', live, target, sqlerrm;
                end if;
            end;
        end loop;
    end loop;
end
$collec$;

-- Put the rows of archived tables back into those of them that are there again.
create or replace function pg_temp.collec_return_tables(live text, store text, old text, new text)
returns void language plpgsql as $collec$
declare
    one record;
    relation oid;
    listed text;
    many bigint;
    moved bigint;
    is_empty boolean;
    counter record;
begin
    if not pg_temp.collec_is_open(store) then
        return;
    end if;
    loop
        moved := 0;
        for one in execute format(
            'select * from %I.collec_archive where version_from = $1 and version_to = $2
             and kind = ''table'' order by collec_archive_id desc', store) using new, old
        loop
            relation := pg_temp.collec_relation(live, one.source);
            if relation is null then
                continue;
            end if;
            for counter in
                select a.attname, format_type(a.atttypid, a.atttypmod) as type
                from pg_catalog.pg_attribute a
                where a.attrelid = pg_temp.collec_relation(store, one.relation)
                  and a.attname::text = any (one.columns)
                  and a.attname::text <> all (pg_temp.collec_columns(relation))
                order by a.attnum
            loop
                -- The version's own columns are all there.
                execute format('alter table %I.%I add column %I %s',
                    live, one.source, counter.attname, counter.type);
                raise warning 'the column %.%.% of the site''s own comes back with its values alone, '
                    'without default, expression and keys', live, one.source, counter.attname;
            end loop;
            select string_agg(format('%I', name), ', ') into listed
            from pg_catalog.unnest(one.columns) as name
            where name = any (pg_temp.collec_columns(relation));
            if one.keys is null then
                execute format('insert into %I.%I (%s) select %s from %I.%I a where %s',
                    live, one.source, listed, listed, store, one.relation,
                    pg_temp.collec_sound(one.foreign_keys));
                get diagnostics many = row_count;
                execute format('delete from %I.%I a where %s', store, one.relation,
                    pg_temp.collec_sound(one.foreign_keys));
            else
                execute format('select not exists (select 1 from %I.%I)', live, one.source)
                    into is_empty;
                execute format(
                    'with back as (insert into %I.%I (%s) select %s from %I.%I a where %s and %s
                                   returning %s)
                     %s', live, one.source, listed, listed, store, one.relation,
                    case when is_empty then 'true'
                         else pg_temp.collec_free(relation, one.columns) end,
                    pg_temp.collec_sound(one.foreign_keys),
                    (select string_agg(format('%I', name), ', ')
                     from pg_catalog.unnest(one.keys) as name),
                    format('delete from %I.%I a using back t where %s', store, one.relation,
                           pg_temp.collec_join(one.keys, one.keys)));
                get diagnostics many = row_count;
            end if;
            moved := moved + many;
            if many > 0 then
                perform set_config('collec_migrations.returned',
                    current_setting('collec_migrations.returned') || ' ' || live || '.'
                    || one.source, true);
                for counter in
                    select a.attname,
                           pg_get_serial_sequence(format('%I.%I', live, one.source), a.attname)
                               as here,
                           case when a.attname = any (pg_temp.collec_columns(
                               pg_temp.collec_relation(store, one.relation))) then
                           pg_get_serial_sequence(format('%I.%I', store, one.relation), a.attname)
                           end as there
                    from pg_catalog.pg_attribute a
                    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
                      and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
                loop
                    if counter.here is not null then
                        perform pg_temp.collec_raise(counter.here,
                            format('%I.%I', live, one.source), counter.attname, counter.there);
                    end if;
                end loop;
                perform pg_temp.collec_settle(store, one.relation, '');
            end if;
        end loop;
        exit when moved = 0;
    end loop;
end
$collec$;

-- Whether rows of a table came back in this step.
create or replace function pg_temp.collec_has_returned(relation text) returns boolean
language sql as $collec$
    select strpos(current_setting('collec_migrations.returned') || ' ', ' ' || relation || ' ') > 0
$collec$;

-- Bring a sequence to the greatest of its own value, a column's and another sequence's.
create or replace function pg_temp.collec_raise(
    counter text, relation text, name text, other text
) returns void language plpgsql as $collec$
declare
    greatest_id bigint;
    value bigint;
    is_used boolean;
    other_value bigint := null;
begin
    execute format('select max(%I) from %s', name, relation) into greatest_id;
    execute format('select last_value, is_called from %s', counter) into value, is_used;
    if other is not null then
        execute format('select case when is_called then last_value end from %s', other)
            into other_value;
    end if;
    greatest_id := greatest(greatest_id, other_value);
    if greatest_id > value or (greatest_id = value and not is_used) then
        perform setval(counter::regclass, greatest_id);
    end if;
end
$collec$;

-- After a step: what the version reached has again comes back; what the step left alone is
-- forgotten; what stays, and cannot return, is told.
create or replace function pg_temp.collec_after(live text, store text, old text, new text)
returns void language plpgsql as $collec$
declare
    one record;
    relation oid;
    present text[];
    assigned text;
    differs text;
    change text;
    counter record;
    place tid;
    staying tid[];
begin
    if not pg_temp.collec_is_open(store) then
        return;
    end if;
    perform pg_temp.collec_return_tables(live, store, old, new);
    perform pg_temp.collec_return_rows(live, store, old, new, false);
    for one in execute format(
        'select * from %I.collec_archive where version_from = $1 and version_to = $2
         order by collec_archive_id', store) using new, old
    loop
        relation := pg_temp.collec_relation(live, one.source);
        present := pg_temp.collec_columns(relation);
        staying := '{}';
        if relation is null then
            continue;
        elsif one.kind = 'table' then
            perform pg_temp.collec_settle(store, one.relation,
                'what they refer to is gone, or their keys are taken');
        elsif one.kind = 'sequence' then
            perform pg_temp.collec_raise(format('%I.%I', live, one.source),
                format('%I.%I', store, one.relation), 'last_value', null);
            perform pg_temp.collec_forget(store, one.relation);
        elsif one.keys is not null and one.keys <@ present then
            select string_agg(format(
                       case when name = any (one.fills) then
                                -- Blanks, and an empty text, are what a script does not give back.
                                '%1$I = case when pg_catalog.btrim(coalesce(t.%1$I::text, ''''))'
                                ' = pg_catalog.btrim(coalesce(a.%1$I::text, '''')) then a.%1$I'
                                ' else coalesce(t.%1$I, a.%1$I) end'
                            when name = any (one.computed) then
                                '%1$I = case when a.collec_same then a.%1$I'
                                ' else coalesce(t.%1$I, a.%1$I) end'
                            else '%1$I = a.%1$I' end, name), ', '),
                   string_agg(format('t.%1$I::text is distinct from a.%1$I::text', name), ' or ')
            into assigned, differs
            from pg_catalog.unnest(one.columns) as name
            where name = any (present) and name <> all (one.keys);
            if assigned is not null then
                -- A number that must be unique is out of the way of the others first.
                for counter in
                    select a.attname
                    from pg_catalog.pg_index x
                    join pg_catalog.pg_attribute a
                      on a.attrelid = x.indrelid and x.indkey::smallint[] = array[a.attnum]
                    where x.indrelid = relation and x.indisunique and a.atttypid = 'int4'::regtype
                      and a.attname = any (one.columns) and a.attname <> all (one.keys)
                loop
                    execute format(
                        'update %1$I.%2$I t set %3$I = -t.%3$I from %4$I.%5$I a where %6$s
                         and t.%3$I > 0 and t.%3$I <> a.%3$I', live, one.source, counter.attname,
                        store, one.relation, pg_temp.collec_join(one.keys, one.keys));
                end loop;
                change := format(
                    'update %I.%I t set %s from %I.%I a where %s and (%s) and %s and %s',
                    live, one.source, assigned, store, one.relation,
                    pg_temp.collec_join(one.keys, one.keys), differs,
                    case when one.kind = 'columns' then 'true' else 'a.collec_same' end,
                    pg_temp.collec_sound(one.foreign_keys));
                begin
                    execute change;
                exception when unique_violation then
                    -- Changed meanwhile: row by row, and those that would be twins stay.
                    for place in execute format('select a.ctid from %I.%I a order by %s', store,
                        one.relation, (select string_agg(format('a.%I', name), ', ')
                                       from pg_catalog.unnest(one.keys) as name))
                    loop
                        begin
                            execute change || ' and a.ctid = $1' using place;
                        exception when unique_violation then
                            staying := staying || place;
                        end;
                    end loop;
                end;
            end if;
            execute format('delete from %I.%I a using %I.%I t where %s and %s and a.ctid <> all ($1)',
                store, one.relation, live, one.source, pg_temp.collec_join(one.keys, one.keys),
                case when one.kind = 'rows' then 'a.collec_same'
                     else pg_temp.collec_sound(one.foreign_keys) end) using staying;
            perform pg_temp.collec_settle(store, one.relation,
                case when one.kind = 'rows' then 'their keys are taken, or what they refer to is gone'
                     when staying <> '{}' then 'others have their unique values by now'
                     else 'their rows, or what they refer to, are gone' end);
        end if;
    end loop;
    -- What this step itself kept.
    for one in execute format(
        'select * from %I.collec_archive where version_from = $1 and version_to = $2
         and made = now() and keys is not null and kind in (''rows'', ''values'', ''columns'')
         order by collec_archive_id', store) using old, new
    loop
        relation := pg_temp.collec_relation(live, one.living);
        if relation is null or not one.living_keys <@ pg_temp.collec_columns(relation) then
            continue;
        elsif one.kind = 'rows' then
            execute format('delete from %I.%I a using %I.%I t where %s', store, one.relation,
                live, one.living, pg_temp.collec_join(one.keys, one.living_keys));
        elsif one.kind = 'values' then
            execute format('delete from %I.%I a using %I.%I t
                where %s and a.%I::text is not distinct from t.%I::text', store, one.relation,
                live, one.living, pg_temp.collec_join(one.keys, one.living_keys),
                one.columns[1], one.living_columns[1]);
            execute format('update %I.%I a set collec_live = t.%I::text from %I.%I t where %s',
                store, one.relation, one.living_columns[1], live, one.living,
                pg_temp.collec_join(one.keys, one.living_keys));
        elsif one.computed <> '{}' then
            execute format('update %I.%I a set collec_live = md5(t::text) from %I.%I t where %s',
                store, one.relation, live, one.living,
                pg_temp.collec_join(one.keys, one.living_keys));
        end if;
        perform pg_temp.collec_settle(store, one.relation, '');
    end loop;
    perform pg_temp.collec_close(store);
end
$collec$;

-- Remove an archive in which nothing is kept.
create or replace function pg_temp.collec_close(store text) returns void
language plpgsql as $collec$
declare
    holds boolean;
begin
    execute format('select exists (select 1 from %I.collec_archive)', store) into holds;
    if holds then
        return;
    end if;
    execute format('drop table %I.collec_archive', store);
    if exists (
        select 1 from pg_catalog.pg_namespace n
        where n.nspname = store and pg_catalog.pg_has_role(n.nspowner, 'usage')
          and pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create')
          and not exists (
              select 1 from pg_catalog.pg_depend d
              where d.refclassid = 'pg_namespace'::regclass and d.refobjid = n.oid
                and d.deptype = 'n')
    ) then
        execute format('drop schema %I', store);
    end if;
end
$collec$;

-- When everything is removed there is no way back: what is kept stays for good.
create or replace function pg_temp.collec_part(store text) returns void
language plpgsql as $collec$
begin
    if pg_temp.collec_is_open(store) then
        execute format('update %I.collec_archive set version_to = null', store);
    end if;
end
$collec$;


do $collec$ declare found text; begin select string_agg(asked::text, '; ') into found from (select distinct one.aclgroup_id from "l'""a"" b:c".project_group as one where one.aclgroup_id is not null and not exists (select 1 from "order %s\".aclgroup as target where target.aclgroup_id = one.aclgroup_id) order by one.aclgroup_id) as asked; if found is not null then raise exception using message = 'project_group refers by aclgroup_id to rows of aclgroup that are not there: ' || found, hint = 'Correct or empty these values of project_group, then run it again; or set COLLEC_NOT_VALID=yes, which leaves the rows and their key NOT VALID.'; end if; end $collec$;

do $collec$ begin perform pg_temp.collec_before(E'order %s\\', E'order %s\\_archive', '1.0.8', '1.1'); perform pg_temp.collec_keep('l''"a" b:c', 'l''"a" b:c_archive', '1.0.8', '1.1', 'columns', 'sample_type', 'sample_type', array['metadata_set_id', 'metadata_set_id_second']::text[], '{"metadata_set_id": null, "metadata_set_id_second": null}', null, array[]::text[], array[]::text[], array[]::text[]); perform pg_temp.collec_before('l''"a" b:c', 'l''"a" b:c_archive', '1.0.8', '1.1'); end $collec$;

-- legacy_sql/upgrade-1.0.8-1.1.sql
-- Upgrade from 1.0.8 to 1.1: metadata in one document, printers, lost passwords.

-- Rights schema --------------------------------------------------------------

create table "order %s\".passwordlost (
    passwordlost_id serial not null,
    id              integer not null,
    token           varchar not null,
    expiration      timestamp not null,
    usedate         timestamp,
    constraint passwordlost_pk primary key (passwordlost_id),
    constraint logingestion_passwordlost_fk
        foreign key (id) references "order %s\".logingestion (id)
);

comment on table "order %s\".passwordlost is
    'Tokens sent to users who lost their password.';
comment on column "order %s\".passwordlost.id is
    'Account that the token opens.';
comment on column "order %s\".passwordlost.token is
    'Random text sent by mail.';
comment on column "order %s\".passwordlost.expiration is
    'The token is refused from this moment on.';
comment on column "order %s\".passwordlost.usedate is
    'Moment when the token was used; null while it was not.';

-- Data schema: new tables ----------------------------------------------------

create table "l'""a"" b:c".printer (
    printer_id      serial not null,
    printer_name    varchar not null,
    printer_queue   varchar not null,
    printer_server  varchar,
    printer_user    varchar,
    printer_comment varchar,
    constraint printer_pk primary key (printer_id)
);

comment on table "l'""a"" b:c".printer is
    'Label printers that the server can reach.';
comment on column "l'""a"" b:c".printer.printer_name is
    'Name shown to users.';
comment on column "l'""a"" b:c".printer.printer_queue is
    'Queue of the print server.';
comment on column "l'""a"" b:c".printer.printer_server is
    'Print server; null for the local one.';
comment on column "l'""a"" b:c".printer.printer_user is
    'Account used on the print server.';

create table "l'""a"" b:c".metadata (
    metadata_id     serial not null,
    metadata_name   varchar not null,
    metadata_schema json,
    constraint metadata_pk primary key (metadata_id)
);

comment on table "l'""a"" b:c".metadata is
    'Descriptions of the metadata that samples of a type can carry.';
comment on column "l'""a"" b:c".metadata.metadata_schema is
    'Fields of the form, as a JSON document.';

-- Data schema: new columns and keys ------------------------------------------

alter table "l'""a"" b:c".project_group
    rename constraint project_project_group_fk to project_projet_group_fk;
alter table "l'""a"" b:c".project_group
    add constraint aclgroup_projet_group_fk
        foreign key (aclgroup_id) references "order %s\".aclgroup (aclgroup_id);

alter table "l'""a"" b:c".container_type
    add column columns integer not null default 1,
    add column lines integer not null default 1,
    add column first_line varchar not null default 'T';

comment on column "l'""a"" b:c".container_type.columns is
    'Number of columns of places in the container.';
comment on column "l'""a"" b:c".container_type.lines is
    'Number of lines of places in the container.';
comment on column "l'""a"" b:c".container_type.first_line is
    'Where line 1 is: T at the top, B at the bottom.';

alter table "l'""a"" b:c".label
    add column metadata_id integer,
    add constraint metadata_label_fk
        foreign key (metadata_id) references "l'""a"" b:c".metadata (metadata_id);

comment on column "l'""a"" b:c".label.metadata_id is
    'Metadata that the label can show.';

alter table "l'""a"" b:c".protocol
    add column project_id integer,
    add constraint project_protocol_fk
        foreign key (project_id) references "l'""a"" b:c".project (project_id);

comment on column "l'""a"" b:c".protocol.project_id is
    'Project that the protocol is written for.';

alter table "l'""a"" b:c".operation
    add column operation_version varchar,
    add column last_edit_date timestamp,
    add constraint operation_name_version_unique unique (operation_name, operation_version);

comment on column "l'""a"" b:c".operation.operation_version is
    'Version of the operation.';
comment on column "l'""a"" b:c".operation.last_edit_date is
    'When the operation was last changed.';

alter table "l'""a"" b:c".sample_type
    drop column metadata_set_id,
    drop column metadata_set_id_second,
    add column metadata_id integer,
    add constraint metadata_sample_type_fk
        foreign key (metadata_id) references "l'""a"" b:c".metadata (metadata_id);

comment on column "l'""a"" b:c".sample_type.metadata_id is
    'Metadata that samples of this type carry.';

alter table "l'""a"" b:c".sample add column metadata json;

comment on column "l'""a"" b:c".sample.metadata is
    'Metadata, as a JSON document whose form is described by the type of the sample.';

alter table "l'""a"" b:c".storage
    add column column_number integer not null default 1,
    add column line_number integer not null default 1;

comment on column "l'""a"" b:c".storage.column_number is
    'Column of the place in the container.';
comment on column "l'""a"" b:c".storage.line_number is
    'Line of the place in the container.';

create or replace view "l'""a"" b:c".last_movement as
select moved.uid,
       moved.storage_id,
       moved.storage_date,
       moved.movement_type_id,
       moved.container_id,
       holder.uid as container_uid,
       moved.line_number,
       moved.column_number
from (select distinct on (uid)
             uid, storage_id, storage_date, movement_type_id, container_id,
             line_number, column_number
      from "l'""a"" b:c".storage
      order by uid, storage_date desc, storage_id desc) as moved
left join "l'""a"" b:c".container as holder on holder.container_id = moved.container_id;

comment on view "l'""a"" b:c".last_movement is
    'Where each object is: its one last movement. Out of storage, it has no container.';

-- Data schema: tables that go ------------------------------------------------

do $collec$ begin perform pg_temp.collec_move_table('l''"a" b:c', 'l''"a" b:c_archive', 'metadata_attribute', '1.0.8', '1.1'); end $collec$;
do $collec$ begin perform pg_temp.collec_move_table('l''"a" b:c', 'l''"a" b:c_archive', 'metadata_schema', '1.0.8', '1.1'); end $collec$;
do $collec$ begin perform pg_temp.collec_move_table('l''"a" b:c', 'l''"a" b:c_archive', 'metadata_set', '1.0.8', '1.1'); end $collec$;
do $collec$ begin perform pg_temp.collec_move_table('l''"a" b:c', 'l''"a" b:c_archive', 'sample_metadata', '1.0.8', '1.1'); end $collec$;

insert into "l'""a"" b:c".dbversion (dbversion_number, dbversion_date) values ('1.1', '2017-09-01');

do $collec$ begin perform pg_temp.collec_after(E'order %s\\', E'order %s\\_archive', '1.0.8', '1.1'); perform pg_temp.collec_after('l''"a" b:c', 'l''"a" b:c_archive', '1.0.8', '1.1'); end $collec$;

UPDATE "l'""a"" b:c".alembic_version SET version_num='1.1' WHERE "l'""a"" b:c".alembic_version.version_num = '1.0.8';

create table if not exists "l'""a"" b:c".migration_history (
    migration_history_id serial,
    version varchar(32),
    kind varchar not null,
    script varchar not null,
    checksum varchar not null,
    tool_version varchar not null,
    database_user varchar not null default session_user,
    client varchar not null,
    started timestamp with time zone not null,
    duration interval not null,
    note varchar not null default '',
    constraint migration_history_pkey primary key (migration_history_id)
);
comment on table "l'""a"" b:c".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "l'""a"" b:c".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "l'""a"" b:c".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "l'""a"" b:c".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "l'""a"" b:c".migration_history.client is
    'Account and host where the tool ran';
comment on column "l'""a"" b:c".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "l'""a"" b:c".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.1', 'applied', 'upgrade-1.0.8-1.1.sql', '87380c8ce08d91a9ecdb6c2f09b37c383824afeeec10203d000113281395bc26', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

create table if not exists "order %s\".migration_history (
    migration_history_id serial,
    version varchar(32),
    kind varchar not null,
    script varchar not null,
    checksum varchar not null,
    tool_version varchar not null,
    database_user varchar not null default session_user,
    client varchar not null,
    started timestamp with time zone not null,
    duration interval not null,
    note varchar not null default '',
    constraint migration_history_pkey primary key (migration_history_id)
);
comment on table "order %s\".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "order %s\".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "order %s\".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "order %s\".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "order %s\".migration_history.client is
    'Account and host where the tool ran';
comment on column "order %s\".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "order %s\".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.1', 'applied', 'upgrade-1.0.8-1.1.sql', '87380c8ce08d91a9ecdb6c2f09b37c383824afeeec10203d000113281395bc26', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

COMMIT;
