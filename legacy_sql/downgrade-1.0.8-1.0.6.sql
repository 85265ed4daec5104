-- Downgrade from 1.0.8 to 1.0.6: the database no longer says its version.
--
-- The rows of dbversion are kept in the schema col_archive; the next upgrade
-- brings them back.
--
-- By hand: psql -v ON_ERROR_STOP=1 -1 -f downgrade-1.0.8-1.0.6.sql DATABASE

-- An archive that is still there under this name is set aside, as plain data.
do $$
declare
    leftover record;
    attached record;
    life integer;
begin
    for leftover in
        select c.oid, c.relname
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'col_archive'
          and c.relkind = 'r'
          and c.relname in (
              'dbversion_since_1_0_8'
          )
    loop
        for attached in
            select k.conname
            from pg_constraint k
            where k.conrelid = leftover.oid and k.contype in ('p', 'u', 'f', 'c')
        loop
            execute format(
                'alter table %s drop constraint if exists %I cascade',
                leftover.oid::regclass, attached.conname
            );
        end loop;
        for attached in
            select i.indexrelid
            from pg_index i
            where i.indrelid = leftover.oid
        loop
            execute format('drop index %s', attached.indexrelid::regclass);
        end loop;
        for attached in
            select d.objid
            from pg_depend d
            join pg_class s on s.oid = d.objid and s.relkind = 'S'
            where d.classid = 'pg_class'::regclass
              and d.refclassid = 'pg_class'::regclass
              and d.refobjid = leftover.oid
              and d.deptype = 'a'
        loop
            execute format('drop sequence %s cascade', attached.objid::regclass);
        end loop;
        life := 1;
        while exists (
            select 1
            from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'col_archive'
              and c.relname = leftover.relname || '_former_' || life
        ) loop
            life := life + 1;
        end loop;
        execute format(
            'alter table %s rename to %I',
            leftover.oid::regclass, leftover.relname || '_former_' || life
        );
    end loop;
end
$$;

-- Nothing is kept of a table that the next upgrade would write just the same.
do $$
declare
    origin text;
begin
    if exists (
        select 1
        from col.dbversion
        where (dbversion_id, dbversion_number, dbversion_date)
              <> (1, '1.0.8', timestamp '2017-06-02 00:00:00')
    ) then
        if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
            create schema col_archive;
        end if;
        select n.nspname || '.' || c.relname into strict origin
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = 'col.dbversion'::regclass;
        alter table col.dbversion rename to dbversion_since_1_0_8;
        alter table col.dbversion_since_1_0_8 set schema col_archive;
        execute format(
            'comment on table %s is %L',
            'col_archive.dbversion_since_1_0_8'::regclass,
            'Archived by the downgrade 1.0.8 -> 1.0.6 on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || origin
        );
    else
        drop table col.dbversion;
    end if;
end
$$;

-- An archive schema in which nothing is left goes.
do $$
begin
    if exists (
           select 1
           from pg_namespace
           where nspname = 'col_archive' and pg_has_role(nspowner, 'usage')
       )
       and not exists (
           select 1
           from pg_depend d
           join pg_namespace n on n.oid = d.refobjid
           where d.refclassid = 'pg_namespace'::regclass
             and d.deptype = 'n'
             and n.nspname = 'col_archive'
       )
    then
        drop schema col_archive;
    end if;
end
$$;
