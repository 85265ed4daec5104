-- Upgrade from 2.8 to 2.8.1: searches of parts of identifiers and metadata, whatever their case.

drop index col.object_identifier_idx;
create index object_identifier_idx on col.object using gist (lower(identifier) gist_trgm_ops);
create index object_uuid_idx on col.object (uuid);

create or replace function col.geteventtypesfromcollection(collection_id integer) returns varchar
language sql as $$
    select string_agg(kind.event_type_name, ', ' order by kind.event_type_name)::varchar
    from col.collection_eventtype as tied
    join col.event_type as kind on kind.event_type_id = tied.event_type_id
    where tied.collection_id = $1
$$;

create or replace function col.getsampletypesfromcollection(collection_id integer) returns varchar
language sql as $$
    select string_agg(kind.sample_type_name, ', ' order by kind.sample_type_name)::varchar
    from col.collection_sampletype as tied
    join col.sample_type as kind on kind.sample_type_id = tied.sample_type_id
    where tied.collection_id = $1
$$;

create function col.regenerate_metadata_indexes() returns integer
language plpgsql as $$
declare
    prefix constant text := 'sample_metadata_lower_';
    operators text;
    present record;
    field text;
begin
    -- pg_trgm may be in any schema.
    select format('%I.%I', home.nspname, class.opcname) into strict operators
    from pg_opclass as class
    join pg_namespace as home on home.oid = class.opcnamespace
    where class.opcname = 'gist_trgm_ops'
    order by home.nspname
    limit 1;
    for present in
        select index_class.oid::regclass as place,
               index_class.relname as name,
               pg_get_expr(index_row.indexprs, index_row.indrelid) as expression,
               index_row.indnatts = 1 and index_row.indpred is null as ours
        from pg_index as index_row
        join pg_class as index_class on index_class.oid = index_row.indexrelid
        where index_row.indrelid = 'col.sample'::regclass
          and left(index_class.relname, length(prefix)) = prefix
        order by index_class.relname
    loop
        -- The index knows its field better than its name does, which is folded and cut.
        field := replace(
            substring(present.expression from '->> ''(.*)''::text'), '''''', ''''
        );
        if field is null then
            select min(known.name) into field
            from (
                select described.value ->> 'name' as name
                from (
                    select metadata_schema from col.metadata
                    where json_typeof(metadata_schema) = 'array'
                ) as form
                cross join json_array_elements(form.metadata_schema) as described
            ) as known
            where present.name in (
                (prefix || known.name || '_idx')::name, lower(prefix || known.name || '_idx')::name
            );
        end if;
        if field is null or not present.ours then
            raise warning 'index % is left as it is', present.name;
            continue;
        end if;
        execute format('drop index %s', present.place);
        execute format(
            'create index %I on %s using gist (lower(metadata ->> %L) %s)',
            present.name, 'col.sample'::regclass, field, operators
        );
    end loop;
    return 1;
end
$$;

comment on function col.regenerate_metadata_indexes() is
    'Makes the indexes on searchable metadata fields again.';

select col.regenerate_metadata_indexes();

insert into col.dbversion (dbversion_number, dbversion_date) values ('2.8.1', '2022-12-01');
