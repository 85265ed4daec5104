-- Downgrade from 2.8.1 to 2.8. The order of the names in the functions stays: 2.8 has none of its own.

drop function col.regenerate_metadata_indexes();

-- The indexes on searchable metadata fields, as the application made them until 2.8.
do $$
declare
    present record;
begin
    for present in
        select index_class.oid::regclass as place, pg_get_indexdef(index_class.oid) as definition
        from pg_index as index_row
        join pg_class as index_class on index_class.oid = index_row.indexrelid
        join pg_am as method on method.oid = index_class.relam
        where index_row.indrelid = 'col.sample'::regclass
          and left(index_class.relname, 22) = 'sample_metadata_lower_'
          and method.amname = 'gist'
          and index_row.indnatts = 1
          and index_row.indpred is null
        order by index_class.relname
    loop
        execute format('drop index %s', present.place);
        execute regexp_replace(
            regexp_replace(present.definition, ' USING gist ', ' USING gin '),
            'gist_trgm_ops\)$', 'gin_trgm_ops)'
        );
    end loop;
end
$$;

drop index col.object_uuid_idx;
drop index col.object_identifier_idx;
create index object_identifier_idx on col.object using gin (identifier gin_trgm_ops);

insert into col.dbversion (dbversion_number, dbversion_date)
select '2.8', '2022-09-26'
where not exists (select 1 from col.dbversion where dbversion_number = '2.8');

delete from col.dbversion where dbversion_number = '2.8.1';
