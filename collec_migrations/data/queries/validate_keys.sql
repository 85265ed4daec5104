-- Validate foreign keys that were added NOT VALID; one that rows stand against stays, with a warning.
do $collec$
declare
    key record;
begin
    for key in
        select c.conname, c.conrelid::pg_catalog.regclass as on_table
        from pg_catalog.pg_constraint as c
        join pg_catalog.pg_class as r on r.oid operator(pg_catalog.=) c.conrelid
        join pg_catalog.pg_namespace as n on n.oid operator(pg_catalog.=) r.relnamespace
        where c.contype operator(pg_catalog.=) 'f' and not c.convalidated
            and n.nspname operator(pg_catalog.=) any (array[{schemas}])
        order by 2, 1
    loop
        begin
            execute pg_catalog.format(
                'alter table %s validate constraint %I', key.on_table, key.conname
            );
        exception when foreign_key_violation then
            raise warning 'the foreign key % of % stays NOT VALID: rows point at nothing',
                key.conname, key.on_table;
        end;
    end loop;
end;
$collec$;
