-- Downgrade from 1.0 to base: the application is removed, its rows are kept.
--
-- Every table that holds rows goes to col_archive or gacl_archive. Both
-- schemas stay, for what else they hold.
--
-- The data schema comes first: its view reads the rights schema.
--
-- By hand: psql -v ON_ERROR_STOP=1 -1 -f drop-1.0.sql DATABASE

-- Data schema ----------------------------------------------------------------

drop view if exists col.aclgroup;
drop view if exists col.last_movement;
drop view if exists col.last_photo;
drop view if exists col.v_object_identifier;

do $$
declare
    tied record;
begin
    for tied in
        select conrelid::regclass as holder, conname
        from pg_constraint
        where contype = 'f'
          and conrelid in (
              to_regclass('col.booking'),
              to_regclass('col.container'),
              to_regclass('col.container_family'),
              to_regclass('col.container_type'),
              to_regclass('col.document'),
              to_regclass('col.event'),
              to_regclass('col.event_type'),
              to_regclass('col.identifier_type'),
              to_regclass('col.label'),
              to_regclass('col.metadata_attribute'),
              to_regclass('col.metadata_schema'),
              to_regclass('col.metadata_set'),
              to_regclass('col.mime_type'),
              to_regclass('col.movement_type'),
              to_regclass('col.multiple_type'),
              to_regclass('col.object'),
              to_regclass('col.object_identifier'),
              to_regclass('col.object_status'),
              to_regclass('col.operation'),
              to_regclass('col.project'),
              to_regclass('col.project_group'),
              to_regclass('col.protocol'),
              to_regclass('col.sample'),
              to_regclass('col.sample_metadata'),
              to_regclass('col.sample_type'),
              to_regclass('col.storage'),
              to_regclass('col.storage_condition'),
              to_regclass('col.storage_reason'),
              to_regclass('col.subsample')
          )
    loop
        execute format('alter table %s drop constraint %I', tied.holder, tied.conname);
    end loop;
end
$$;

-- An archive that already has one of the names needed below is set aside.
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
              'booking_since_1_0',
              'container_since_1_0',
              'container_family_since_1_0',
              'container_type_since_1_0',
              'document_since_1_0',
              'event_since_1_0',
              'event_type_since_1_0',
              'identifier_type_since_1_0',
              'label_since_1_0',
              'metadata_attribute_since_1_0',
              'metadata_schema_since_1_0',
              'metadata_set_since_1_0',
              'mime_type_since_1_0',
              'movement_type_since_1_0',
              'multiple_type_since_1_0',
              'object_since_1_0',
              'object_identifier_since_1_0',
              'object_status_since_1_0',
              'operation_since_1_0',
              'project_since_1_0',
              'project_group_since_1_0',
              'protocol_since_1_0',
              'sample_since_1_0',
              'sample_metadata_since_1_0',
              'sample_type_since_1_0',
              'storage_since_1_0',
              'storage_condition_since_1_0',
              'storage_reason_since_1_0',
              'subsample_since_1_0'
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

-- Rows go to the archive as plain data, without keys and sequences; empty
-- tables are dropped. Any other table of the schema is left alone.
do $$
declare
    held record;
    attached record;
    filled boolean;
    archive name;
begin
    for held in
        select c.oid, c.relname, n.nspname
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'col'
          and c.relkind = 'r'
          and c.relname in (
              'booking', 'container', 'container_family', 'container_type',
              'document', 'event', 'event_type', 'identifier_type', 'label',
              'metadata_attribute', 'metadata_schema', 'metadata_set', 'mime_type',
              'movement_type', 'multiple_type', 'object', 'object_identifier',
              'object_status', 'operation', 'project', 'project_group', 'protocol',
              'sample', 'sample_metadata', 'sample_type', 'storage',
              'storage_condition', 'storage_reason', 'subsample'
          )
        order by c.relname
    loop
        execute format('select exists (select 1 from %s)', held.oid::regclass) into filled;
        if not filled then
            execute format('drop table %s', held.oid::regclass);
            continue;
        end if;
        if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
            create schema col_archive;
        end if;
        select nspname into strict archive from pg_namespace where nspname = 'col_archive';
        for attached in
            select k.conname
            from pg_constraint k
            where k.conrelid = held.oid and k.contype in ('p', 'u', 'f', 'c')
        loop
            execute format(
                'alter table %s drop constraint %I', held.oid::regclass, attached.conname
            );
        end loop;
        for attached in
            select a.attname
            from pg_attrdef f
            join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
            where f.adrelid = held.oid
        loop
            execute format(
                'alter table %s alter column %I drop default', held.oid::regclass, attached.attname
            );
        end loop;
        for attached in
            select i.indexrelid
            from pg_index i
            where i.indrelid = held.oid
        loop
            execute format('drop index %s', attached.indexrelid::regclass);
        end loop;
        for attached in
            select d.objid
            from pg_depend d
            join pg_class s on s.oid = d.objid and s.relkind = 'S'
            where d.classid = 'pg_class'::regclass
              and d.refclassid = 'pg_class'::regclass
              and d.refobjid = held.oid
              and d.deptype = 'a'
        loop
            execute format('drop sequence %s', attached.objid::regclass);
        end loop;
        execute format(
            'alter table %s rename to %I', held.oid::regclass, held.relname || '_since_1_0'
        );
        execute format('alter table %s set schema %I', held.oid::regclass, archive);
        execute format(
            'comment on table %s is %L',
            held.oid::regclass,
            'Archived by the downgrade 1.0 -> base on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || held.nspname || '.' || held.relname
        );
    end loop;
end
$$;

-- Rights schema --------------------------------------------------------------

do $$
declare
    tied record;
begin
    for tied in
        select conrelid::regclass as holder, conname
        from pg_constraint
        where contype = 'f'
          and conrelid in (
              to_regclass('gacl.aclacl'),
              to_regclass('gacl.aclaco'),
              to_regclass('gacl.aclappli'),
              to_regclass('gacl.aclgroup'),
              to_regclass('gacl.acllogin'),
              to_regclass('gacl.acllogingroup'),
              to_regclass('gacl.log'),
              to_regclass('gacl.login_oldpassword'),
              to_regclass('gacl.logingestion')
          )
    loop
        execute format('alter table %s drop constraint %I', tied.holder, tied.conname);
    end loop;
end
$$;

-- An archive that already has one of the names needed below is set aside.
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
        where n.nspname = 'gacl_archive'
          and c.relkind = 'r'
          and c.relname in (
              'aclacl_since_1_0',
              'aclaco_since_1_0',
              'aclappli_since_1_0',
              'aclgroup_since_1_0',
              'acllogin_since_1_0',
              'acllogingroup_since_1_0',
              'log_since_1_0',
              'login_oldpassword_since_1_0',
              'logingestion_since_1_0'
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
            where n.nspname = 'gacl_archive'
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

-- Rows go to the archive as plain data, without keys and sequences; empty
-- tables are dropped. Any other table of the schema is left alone.
do $$
declare
    held record;
    attached record;
    filled boolean;
    archive name;
begin
    for held in
        select c.oid, c.relname, n.nspname
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'gacl'
          and c.relkind = 'r'
          and c.relname in (
              'aclacl', 'aclaco', 'aclappli', 'aclgroup', 'acllogin',
              'acllogingroup', 'log', 'login_oldpassword', 'logingestion'
          )
        order by c.relname
    loop
        execute format('select exists (select 1 from %s)', held.oid::regclass) into filled;
        if not filled then
            execute format('drop table %s', held.oid::regclass);
            continue;
        end if;
        if not exists (select 1 from pg_namespace where nspname = 'gacl_archive') then
            create schema gacl_archive;
        end if;
        select nspname into strict archive from pg_namespace where nspname = 'gacl_archive';
        for attached in
            select k.conname
            from pg_constraint k
            where k.conrelid = held.oid and k.contype in ('p', 'u', 'f', 'c')
        loop
            execute format(
                'alter table %s drop constraint %I', held.oid::regclass, attached.conname
            );
        end loop;
        for attached in
            select a.attname
            from pg_attrdef f
            join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
            where f.adrelid = held.oid
        loop
            execute format(
                'alter table %s alter column %I drop default', held.oid::regclass, attached.attname
            );
        end loop;
        for attached in
            select i.indexrelid
            from pg_index i
            where i.indrelid = held.oid
        loop
            execute format('drop index %s', attached.indexrelid::regclass);
        end loop;
        for attached in
            select d.objid
            from pg_depend d
            join pg_class s on s.oid = d.objid and s.relkind = 'S'
            where d.classid = 'pg_class'::regclass
              and d.refclassid = 'pg_class'::regclass
              and d.refobjid = held.oid
              and d.deptype = 'a'
        loop
            execute format('drop sequence %s', attached.objid::regclass);
        end loop;
        execute format(
            'alter table %s rename to %I', held.oid::regclass, held.relname || '_since_1_0'
        );
        execute format('alter table %s set schema %I', held.oid::regclass, archive);
        execute format(
            'comment on table %s is %L',
            held.oid::regclass,
            'Archived by the downgrade 1.0 -> base on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || held.nspname || '.' || held.relname
        );
    end loop;
end
$$;

drop sequence gacl.seq_logingestion_id;
