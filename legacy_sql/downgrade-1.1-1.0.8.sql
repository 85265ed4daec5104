-- Downgrade from 1.1 to 1.0.8.
--
-- What only 1.1 can hold is kept in the schemas gacl_archive and col_archive,
-- and comes back with the next upgrade; what the upgrade kept there comes
-- back now.
--
-- By hand: psql -v ON_ERROR_STOP=1 -1 -f downgrade-1.1-1.0.8.sql DATABASE

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
              to_regclass('gacl.passwordlost')
          )
    loop
        execute format('alter table %s drop constraint %I', tied.holder, tied.conname);
    end loop;
end
$$;

-- Tokens that the upgrade could not bring back, for want of their account,
-- stay with the others.
do $$
begin
    if to_regclass('gacl.passwordlost') is null
       or to_regclass('gacl_archive.passwordlost_since_1_1') is null
    then
        return;
    end if;
    with waiting as (
        delete from gacl_archive.passwordlost_since_1_1 kept
        where not exists (
            select 1
            from gacl.passwordlost live
            where live.passwordlost_id = kept.passwordlost_id
        )
        returning passwordlost_id, id, token, expiration, usedate
    )
    insert into gacl.passwordlost (
        passwordlost_id, id, token, expiration, usedate
    )
    select passwordlost_id, id, token, expiration, usedate
    from waiting;
    if not exists (select 1 from gacl_archive.passwordlost_since_1_1) then
        drop table gacl_archive.passwordlost_since_1_1;
    end if;
end
$$;

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
              'passwordlost_since_1_1'
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

do $$
declare
    origin text;
begin
    if exists (select 1 from gacl.passwordlost) then
        if not exists (select 1 from pg_namespace where nspname = 'gacl_archive') then
            create schema gacl_archive;
        end if;
        select n.nspname || '.' || c.relname into strict origin
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = 'gacl.passwordlost'::regclass;
        alter table gacl.passwordlost rename to passwordlost_since_1_1;
        alter table gacl.passwordlost_since_1_1 set schema gacl_archive;
        execute format(
            'comment on table %s is %L',
            'gacl_archive.passwordlost_since_1_1'::regclass,
            'Archived by the downgrade 1.1 -> 1.0.8 on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || origin
        );
    else
        drop table gacl.passwordlost;
    end if;
end
$$;

-- An archive schema in which nothing is left goes.
do $$
begin
    if exists (
           select 1
           from pg_namespace
           where nspname = 'gacl_archive' and pg_has_role(nspowner, 'usage')
       )
       and not exists (
           select 1
           from pg_depend d
           join pg_namespace n on n.oid = d.refobjid
           where d.refclassid = 'pg_namespace'::regclass
             and d.deptype = 'n'
             and n.nspname = 'gacl_archive'
       )
    then
        drop schema gacl_archive;
    end if;
end
$$;

-- Data schema: columns and tables of 1.1 -------------------------------------

-- An archive that is still there under one of these names is set aside, as
-- plain data.
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
              'printer_since_1_1',
              'metadata_since_1_1',
              'dbversion_since_1_1'
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

do $$
declare
    origin text;
begin
    if not exists (
        select 1
        from col.label
        where metadata_id is not null
    ) then
        return;
    end if;
    if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
        create schema col_archive;
    end if;
    select n.nspname || '.' || c.relname into strict origin
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = 'col.label'::regclass;
    if to_regclass('col_archive.label_since_1_1') is null then
        create table col_archive.label_since_1_1 as
        select label_id, metadata_id
        from col.label
        where metadata_id is not null;
    else
        update col_archive.label_since_1_1 kept
        set metadata_id = coalesce(live.metadata_id, kept.metadata_id)
        from col.label live
        where live.label_id = kept.label_id
          and (live.metadata_id is not null);
        insert into col_archive.label_since_1_1 (
            label_id, metadata_id
        )
        select live.label_id, live.metadata_id
        from col.label live
        where (live.metadata_id is not null)
          and not exists (
              select 1
              from col_archive.label_since_1_1 kept
              where kept.label_id = live.label_id
          );
    end if;
    execute format(
        'comment on table %s is %L',
        'col_archive.label_since_1_1'::regclass,
        'Archived by the downgrade 1.1 -> 1.0.8 on '
            || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || ' from ' || origin
    );
end
$$;

alter table col.label
    drop column metadata_id;

do $$
declare
    origin text;
begin
    if not exists (
        select 1
        from col.protocol
        where project_id is not null
    ) then
        return;
    end if;
    if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
        create schema col_archive;
    end if;
    select n.nspname || '.' || c.relname into strict origin
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = 'col.protocol'::regclass;
    if to_regclass('col_archive.protocol_since_1_1') is null then
        create table col_archive.protocol_since_1_1 as
        select protocol_id, project_id
        from col.protocol
        where project_id is not null;
    else
        update col_archive.protocol_since_1_1 kept
        set project_id = coalesce(live.project_id, kept.project_id)
        from col.protocol live
        where live.protocol_id = kept.protocol_id
          and (live.project_id is not null);
        insert into col_archive.protocol_since_1_1 (
            protocol_id, project_id
        )
        select live.protocol_id, live.project_id
        from col.protocol live
        where (live.project_id is not null)
          and not exists (
              select 1
              from col_archive.protocol_since_1_1 kept
              where kept.protocol_id = live.protocol_id
          );
    end if;
    execute format(
        'comment on table %s is %L',
        'col_archive.protocol_since_1_1'::regclass,
        'Archived by the downgrade 1.1 -> 1.0.8 on '
            || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || ' from ' || origin
    );
end
$$;

alter table col.protocol
    drop column project_id;

do $$
declare
    origin text;
begin
    if not exists (
        select 1
        from col.operation
        where operation_version is not null or last_edit_date is not null
    ) then
        return;
    end if;
    if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
        create schema col_archive;
    end if;
    select n.nspname || '.' || c.relname into strict origin
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = 'col.operation'::regclass;
    if to_regclass('col_archive.operation_since_1_1') is null then
        create table col_archive.operation_since_1_1 as
        select operation_id, operation_version, last_edit_date
        from col.operation
        where operation_version is not null or last_edit_date is not null;
    else
        update col_archive.operation_since_1_1 kept
        set operation_version = coalesce(live.operation_version, kept.operation_version),
            last_edit_date = coalesce(live.last_edit_date, kept.last_edit_date)
        from col.operation live
        where live.operation_id = kept.operation_id
          and (live.operation_version is not null or live.last_edit_date is not null);
        insert into col_archive.operation_since_1_1 (
            operation_id, operation_version, last_edit_date
        )
        select live.operation_id, live.operation_version, live.last_edit_date
        from col.operation live
        where (live.operation_version is not null or live.last_edit_date is not null)
          and not exists (
              select 1
              from col_archive.operation_since_1_1 kept
              where kept.operation_id = live.operation_id
          );
    end if;
    execute format(
        'comment on table %s is %L',
        'col_archive.operation_since_1_1'::regclass,
        'Archived by the downgrade 1.1 -> 1.0.8 on '
            || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || ' from ' || origin
    );
end
$$;

alter table col.operation
    drop constraint operation_name_version_unique,
    drop column operation_version,
    drop column last_edit_date;

do $$
declare
    origin text;
begin
    if not exists (
        select 1
        from col.container_type
        where columns <> 1 or lines <> 1 or first_line <> 'T'
    ) then
        return;
    end if;
    if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
        create schema col_archive;
    end if;
    select n.nspname || '.' || c.relname into strict origin
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = 'col.container_type'::regclass;
    if to_regclass('col_archive.container_type_since_1_1') is null then
        create table col_archive.container_type_since_1_1 as
        select container_type_id, columns, lines, first_line
        from col.container_type
        where columns <> 1 or lines <> 1 or first_line <> 'T';
    else
        update col_archive.container_type_since_1_1 kept
        set columns = coalesce(live.columns, kept.columns),
            lines = coalesce(live.lines, kept.lines),
            first_line = coalesce(live.first_line, kept.first_line)
        from col.container_type live
        where live.container_type_id = kept.container_type_id
          and (live.columns <> 1 or live.lines <> 1 or live.first_line <> 'T');
        insert into col_archive.container_type_since_1_1 (
            container_type_id, columns, lines, first_line
        )
        select live.container_type_id, live.columns, live.lines,
               live.first_line
        from col.container_type live
        where (live.columns <> 1 or live.lines <> 1 or live.first_line <> 'T')
          and not exists (
              select 1
              from col_archive.container_type_since_1_1 kept
              where kept.container_type_id = live.container_type_id
          );
    end if;
    execute format(
        'comment on table %s is %L',
        'col_archive.container_type_since_1_1'::regclass,
        'Archived by the downgrade 1.1 -> 1.0.8 on '
            || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || ' from ' || origin
    );
end
$$;

alter table col.container_type
    drop column columns,
    drop column lines,
    drop column first_line;

do $$
declare
    origin text;
begin
    if not exists (
        select 1
        from col.sample_type
        where metadata_id is not null
    ) then
        return;
    end if;
    if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
        create schema col_archive;
    end if;
    select n.nspname || '.' || c.relname into strict origin
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = 'col.sample_type'::regclass;
    if to_regclass('col_archive.sample_type_since_1_1') is null then
        create table col_archive.sample_type_since_1_1 as
        select sample_type_id, metadata_id
        from col.sample_type
        where metadata_id is not null;
    else
        update col_archive.sample_type_since_1_1 kept
        set metadata_id = coalesce(live.metadata_id, kept.metadata_id)
        from col.sample_type live
        where live.sample_type_id = kept.sample_type_id
          and (live.metadata_id is not null);
        insert into col_archive.sample_type_since_1_1 (
            sample_type_id, metadata_id
        )
        select live.sample_type_id, live.metadata_id
        from col.sample_type live
        where (live.metadata_id is not null)
          and not exists (
              select 1
              from col_archive.sample_type_since_1_1 kept
              where kept.sample_type_id = live.sample_type_id
          );
    end if;
    execute format(
        'comment on table %s is %L',
        'col_archive.sample_type_since_1_1'::regclass,
        'Archived by the downgrade 1.1 -> 1.0.8 on '
            || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || ' from ' || origin
    );
end
$$;

alter table col.sample_type
    drop column metadata_id;

do $$
declare
    origin text;
begin
    if exists (select 1 from col.printer) then
        if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
            create schema col_archive;
        end if;
        select n.nspname || '.' || c.relname into strict origin
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = 'col.printer'::regclass;
        alter table col.printer rename to printer_since_1_1;
        alter table col.printer_since_1_1 set schema col_archive;
        execute format(
            'comment on table %s is %L',
            'col_archive.printer_since_1_1'::regclass,
            'Archived by the downgrade 1.1 -> 1.0.8 on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || origin
        );
    else
        drop table col.printer;
    end if;
end
$$;

do $$
declare
    origin text;
begin
    if exists (select 1 from col.metadata) then
        if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
            create schema col_archive;
        end if;
        select n.nspname || '.' || c.relname into strict origin
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = 'col.metadata'::regclass;
        alter table col.metadata rename to metadata_since_1_1;
        alter table col.metadata_since_1_1 set schema col_archive;
        execute format(
            'comment on table %s is %L',
            'col_archive.metadata_since_1_1'::regclass,
            'Archived by the downgrade 1.1 -> 1.0.8 on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || origin
        );
    else
        drop table col.metadata;
    end if;
end
$$;

alter table col.project_group
    drop constraint if exists aclgroup_projet_group_fk;
alter table col.project_group
    rename constraint project_projet_group_fk to project_project_group_fk;

-- Data schema: columns and tables of 1.0.8 -----------------------------------

-- The sets of metadata come back whole when the upgrade kept them.
do $$
begin
    if to_regclass('col_archive.metadata_schema_until_1_0_8') is not null then
        alter table col_archive.metadata_schema_until_1_0_8 set schema col;
        alter table col.metadata_schema_until_1_0_8 rename to metadata_schema;
    else
        create table col.metadata_schema (
            metadata_schema_id         serial not null,
            metadata_schema_name       varchar not null,
            metadata_schema_short_name varchar,
            uri                        varchar,
            constraint metadata_schema_pk primary key (metadata_schema_id)
        );
    end if;
end
$$;

comment on table col.metadata_schema is
    'Published vocabularies that metadata attributes can come from.';
comment on column col.metadata_schema.metadata_schema_short_name is
    'Prefix of the vocabulary.';
comment on column col.metadata_schema.uri is
    'Where the vocabulary is published.';

do $$
begin
    if to_regclass('col_archive.metadata_set_until_1_0_8') is not null then
        alter table col_archive.metadata_set_until_1_0_8 set schema col;
        alter table col.metadata_set_until_1_0_8 rename to metadata_set;
    else
        create table col.metadata_set (
            metadata_set_id   serial not null,
            metadata_set_name varchar not null,
            constraint metadata_set_pk primary key (metadata_set_id)
        );
    end if;
end
$$;

comment on table col.metadata_set is
    'Named sets of metadata attributes, used by sample types.';

do $$
declare
    note text;
begin
    if to_regclass('col_archive.metadata_attribute_until_1_0_8') is null then
        create table col.metadata_attribute (
            metadata_attribute_id serial not null,
            metadata_set_id       integer not null,
            metadata_schema_id    integer,
            metadata_order        integer not null default 1,
            metadata_name         varchar not null,
            metadata_code         varchar,
            metadata_type         varchar not null default 'varchar',
            metadata_multivalue   boolean not null default false,
            metadata_measure_unit varchar,
            metadata_enum         varchar,
            metadata_defaultvalue varchar,
            constraint metadata_attribute_pk primary key (metadata_attribute_id)
        );
        return;
    end if;
    note := obj_description('col_archive.metadata_attribute_until_1_0_8'::regclass, 'pg_class');
    alter table col_archive.metadata_attribute_until_1_0_8 set schema col;
    alter table col.metadata_attribute_until_1_0_8 rename to metadata_attribute;
    if exists (
        select 1
        from col.metadata_attribute live
        where not (exists (
              select 1
              from col.metadata_set owner
              where owner.metadata_set_id = live.metadata_set_id
          ) and (live.metadata_schema_id is null or exists (
              select 1
              from col.metadata_schema owner
              where owner.metadata_schema_id = live.metadata_schema_id
          )))
    ) then
        create table col_archive.metadata_attribute_until_1_0_8 as
        select live.*
        from col.metadata_attribute live
        where not (exists (
              select 1
              from col.metadata_set owner
              where owner.metadata_set_id = live.metadata_set_id
          ) and (live.metadata_schema_id is null or exists (
              select 1
              from col.metadata_schema owner
              where owner.metadata_schema_id = live.metadata_schema_id
          )));
        execute format(
            'comment on table %s is %L', 'col_archive.metadata_attribute_until_1_0_8'::regclass, note
        );
        delete from col.metadata_attribute live
        where not (exists (
              select 1
              from col.metadata_set owner
              where owner.metadata_set_id = live.metadata_set_id
          ) and (live.metadata_schema_id is null or exists (
              select 1
              from col.metadata_schema owner
              where owner.metadata_schema_id = live.metadata_schema_id
          )));
    end if;
end
$$;

comment on table col.metadata_attribute is
    'Attributes of a metadata set: what can be noted on a sample.';
comment on column col.metadata_attribute.metadata_order is
    'Rank in the form.';
comment on column col.metadata_attribute.metadata_code is
    'Name of the attribute in the stored document.';
comment on column col.metadata_attribute.metadata_type is
    'Type of the value.';
comment on column col.metadata_attribute.metadata_multivalue is
    'True when several values are accepted.';
comment on column col.metadata_attribute.metadata_enum is
    'Accepted values, for a closed list.';

alter table col.metadata_attribute
    add constraint metadata_set_metadata_attribute_fk
        foreign key (metadata_set_id) references col.metadata_set (metadata_set_id),
    add constraint metadata_schema_metadata_attribute_fk
        foreign key (metadata_schema_id) references col.metadata_schema (metadata_schema_id);

alter table col.sample_type
    add column metadata_set_id integer,
    add column metadata_set_id_second integer;

comment on column col.sample_type.metadata_set_id is
    'First set of metadata.';
comment on column col.sample_type.metadata_set_id_second is
    'Second set of metadata.';

-- What the upgrade kept comes back to the rows that still exist.
do $$
begin
    if to_regclass('col_archive.sample_type_until_1_0_8') is null then
        return;
    end if;
    update col.sample_type live
    set metadata_set_id = kept.metadata_set_id
    from col_archive.sample_type_until_1_0_8 kept
    where kept.sample_type_id = live.sample_type_id
      and exists (
          select 1
          from col.metadata_set target
          where target.metadata_set_id = kept.metadata_set_id
      );
    update col_archive.sample_type_until_1_0_8 kept
    set metadata_set_id = null
    from col.sample_type live
    where live.sample_type_id = kept.sample_type_id
      and exists (
          select 1
          from col.metadata_set target
          where target.metadata_set_id = kept.metadata_set_id
      );
    update col.sample_type live
    set metadata_set_id_second = kept.metadata_set_id_second
    from col_archive.sample_type_until_1_0_8 kept
    where kept.sample_type_id = live.sample_type_id
      and exists (
          select 1
          from col.metadata_set target
          where target.metadata_set_id = kept.metadata_set_id_second
      );
    update col_archive.sample_type_until_1_0_8 kept
    set metadata_set_id_second = null
    from col.sample_type live
    where live.sample_type_id = kept.sample_type_id
      and exists (
          select 1
          from col.metadata_set target
          where target.metadata_set_id = kept.metadata_set_id_second
      );
    delete from col_archive.sample_type_until_1_0_8
    where metadata_set_id is null and metadata_set_id_second is null;
    if not exists (select 1 from col_archive.sample_type_until_1_0_8) then
        drop table col_archive.sample_type_until_1_0_8;
    end if;
end
$$;

alter table col.sample_type
    add constraint metadata_set_sample_type_fk
        foreign key (metadata_set_id) references col.metadata_set (metadata_set_id),
    add constraint metadata_set_sample_type_fk1
        foreign key (metadata_set_id_second) references col.metadata_set (metadata_set_id);

-- Data schema: tables with many rows -----------------------------------------

do $$
declare
    origin text;
begin
    if not exists (
        select 1
        from col.sample
        where metadata is not null
    ) then
        return;
    end if;
    if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
        create schema col_archive;
    end if;
    select n.nspname || '.' || c.relname into strict origin
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = 'col.sample'::regclass;
    if to_regclass('col_archive.sample_since_1_1') is null then
        create table col_archive.sample_since_1_1 as
        select sample_id, metadata
        from col.sample
        where metadata is not null;
    else
        update col_archive.sample_since_1_1 kept
        set metadata = coalesce(live.metadata, kept.metadata)
        from col.sample live
        where live.sample_id = kept.sample_id
          and (live.metadata is not null);
        insert into col_archive.sample_since_1_1 (
            sample_id, metadata
        )
        select live.sample_id, live.metadata
        from col.sample live
        where (live.metadata is not null)
          and not exists (
              select 1
              from col_archive.sample_since_1_1 kept
              where kept.sample_id = live.sample_id
          );
    end if;
    execute format(
        'comment on table %s is %L',
        'col_archive.sample_since_1_1'::regclass,
        'Archived by the downgrade 1.1 -> 1.0.8 on '
            || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || ' from ' || origin
    );
end
$$;

do $$
declare
    origin text;
begin
    if not exists (
        select 1
        from col.storage
        where column_number <> 1 or line_number <> 1
    ) then
        return;
    end if;
    if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
        create schema col_archive;
    end if;
    select n.nspname || '.' || c.relname into strict origin
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = 'col.storage'::regclass;
    if to_regclass('col_archive.storage_since_1_1') is null then
        create table col_archive.storage_since_1_1 as
        select storage_id, column_number, line_number
        from col.storage
        where column_number <> 1 or line_number <> 1;
    else
        update col_archive.storage_since_1_1 kept
        set column_number = coalesce(live.column_number, kept.column_number),
            line_number = coalesce(live.line_number, kept.line_number)
        from col.storage live
        where live.storage_id = kept.storage_id
          and (live.column_number <> 1 or live.line_number <> 1);
        insert into col_archive.storage_since_1_1 (
            storage_id, column_number, line_number
        )
        select live.storage_id, live.column_number, live.line_number
        from col.storage live
        where (live.column_number <> 1 or live.line_number <> 1)
          and not exists (
              select 1
              from col_archive.storage_since_1_1 kept
              where kept.storage_id = live.storage_id
          );
    end if;
    execute format(
        'comment on table %s is %L',
        'col_archive.storage_since_1_1'::regclass,
        'Archived by the downgrade 1.1 -> 1.0.8 on '
            || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || ' from ' || origin
    );
end
$$;

-- Documents of samples deleted meanwhile stay in the archive.
do $$
declare
    note text;
begin
    if to_regclass('col_archive.sample_metadata_until_1_0_8') is null then
        create table col.sample_metadata (
            sample_id integer not null,
            data      jsonb not null,
            constraint sample_metadata_pk primary key (sample_id)
        );
        return;
    end if;
    note := obj_description('col_archive.sample_metadata_until_1_0_8'::regclass, 'pg_class');
    alter table col_archive.sample_metadata_until_1_0_8 set schema col;
    alter table col.sample_metadata_until_1_0_8 rename to sample_metadata;
    if exists (
        select 1
        from col.sample_metadata live
        where not (exists (
              select 1
              from col.sample owner
              where owner.sample_id = live.sample_id
          ))
    ) then
        create table col_archive.sample_metadata_until_1_0_8 as
        select live.*
        from col.sample_metadata live
        where not (exists (
              select 1
              from col.sample owner
              where owner.sample_id = live.sample_id
          ));
        execute format(
            'comment on table %s is %L', 'col_archive.sample_metadata_until_1_0_8'::regclass, note
        );
        delete from col.sample_metadata live
        where not (exists (
              select 1
              from col.sample owner
              where owner.sample_id = live.sample_id
          ));
    end if;
end
$$;

comment on table col.sample_metadata is
    'Metadata of samples: one document for each sample.';
comment on column col.sample_metadata.data is
    'Values by attribute.';

alter table col.sample_metadata
    add constraint sample_sample_metadata_fk
        foreign key (sample_id) references col.sample (sample_id);

alter table col.sample
    drop column metadata;

-- A view cannot lose columns: it is made anew.
drop view col.last_movement;

alter table col.storage
    drop column column_number,
    drop column line_number;

create view col.last_movement as
select moved.uid,
       moved.storage_id,
       moved.storage_date,
       moved.movement_type_id,
       moved.container_id,
       holder.uid as container_uid
from (select distinct on (uid)
             uid, storage_id, storage_date, movement_type_id, container_id
      from col.storage
      order by uid, storage_date desc, storage_id desc) as moved
left join col.container as holder on holder.container_id = moved.container_id;

comment on view col.last_movement is
    'Where each object is: its one last movement. Out of storage, it has no container.';

-- The row of 1.1 is kept, unless it is the one that the next upgrade would
-- write. A database installed at 1.1 has no row of 1.0.8, which the
-- application asks for: one stands in, until that upgrade.
do $$
declare
    plain boolean;
    origin text;
    stand_in integer;
begin
    select count(*) = 1
           and bool_and(
               gone.dbversion_date = '2017-09-01 00:00:00'
               and gone.dbversion_id = (
                   select max(other.dbversion_id) + 1
                   from col.dbversion other
                   where other.dbversion_number <> '1.1'
               )
           )
           and exists (select 1 from col.dbversion where dbversion_number = '1.0.8')
    into plain
    from col.dbversion gone
    where gone.dbversion_number = '1.1';
    if plain is not true and exists (select 1 from col.dbversion where dbversion_number = '1.1') then
        if not exists (select 1 from pg_namespace where nspname = 'col_archive') then
            create schema col_archive;
        end if;
        select n.nspname || '.' || c.relname into strict origin
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = 'col.dbversion'::regclass;
        create table col_archive.dbversion_since_1_1 as
        select dbversion_id, dbversion_number, dbversion_date, null::integer as stand_in_id
        from col.dbversion
        where dbversion_number = '1.1';
        execute format(
            'comment on table %s is %L',
            'col_archive.dbversion_since_1_1'::regclass,
            'Archived by the downgrade 1.1 -> 1.0.8 on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || origin
        );
    end if;
    delete from col.dbversion where dbversion_number = '1.1';
    if exists (select 1 from col.dbversion where dbversion_number = '1.0.8') then
        return;
    end if;
    select coalesce(max(dbversion_id), 0) + 1 into stand_in from col.dbversion;
    insert into col.dbversion (dbversion_id, dbversion_number, dbversion_date) values
        (stand_in, '1.0.8', '2017-06-02 00:00:00');
    perform setval('col.dbversion_dbversion_id_seq', stand_in)
    from col.dbversion_dbversion_id_seq
    where last_value < stand_in or not is_called;
    if to_regclass('col_archive.dbversion_since_1_1') is not null then
        update col_archive.dbversion_since_1_1 set stand_in_id = stand_in;
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
