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

-- legacy_sql/upgrade-1.0.8-1.1.sql
-- Upgrade from 1.0.8 to 1.1: metadata as JSON, label printers, places in containers.
--
-- Takes databases as they are found: the table projet_group of the first
-- releases, metadata as json or jsonb, groups that no longer exist, sequences
-- left behind.
--
-- What goes away and holds rows is kept in the schema col_archive.
--
-- What an earlier downgrade from 1.1 kept there, and in gacl_archive, comes
-- back.
--
-- New tables come first and the tables with many rows last, so that these are
-- locked for a moment only.
--
-- By hand: psql -v ON_ERROR_STOP=1 -1 -f upgrade-1.0.8-1.1.sql DATABASE

-- Rights schema --------------------------------------------------------------

-- The table comes back when a downgrade kept it; tokens of accounts deleted
-- meanwhile stay in the archive.
do $$
declare
    note text;
begin
    if to_regclass('"order %s\_archive".passwordlost_since_1_1') is null then
        create table "order %s\".passwordlost (
            passwordlost_id serial not null,
            id              integer not null,
            token           varchar not null,
            expiration      timestamp not null,
            usedate         timestamp,
            constraint passwordlost_pk primary key (passwordlost_id)
        );
        return;
    end if;
    note := obj_description('"order %s\_archive".passwordlost_since_1_1'::regclass, 'pg_class');
    alter table "order %s\_archive".passwordlost_since_1_1 set schema "order %s\";
    alter table "order %s\".passwordlost_since_1_1 rename to passwordlost;
    if exists (
        select 1
        from "order %s\".passwordlost live
        where not (exists (
              select 1
              from "order %s\".logingestion owner
              where owner.id = live.id
          ))
    ) then
        create table "order %s\_archive".passwordlost_since_1_1 as
        select live.*
        from "order %s\".passwordlost live
        where not (exists (
              select 1
              from "order %s\".logingestion owner
              where owner.id = live.id
          ));
        execute format(
            'comment on table %s is %L', '"order %s\_archive".passwordlost_since_1_1'::regclass, note
        );
        delete from "order %s\".passwordlost live
        where not (exists (
              select 1
              from "order %s\".logingestion owner
              where owner.id = live.id
          ));
    end if;
end
$$;

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

alter table "order %s\".passwordlost
    add constraint logingestion_passwordlost_fk
        foreign key (id) references "order %s\".logingestion (id);

-- Sequences left behind the ids of their columns are set right.
do $$
declare
    counted record;
    greatest_id bigint;
    next_id bigint;
begin
    for counted in
        select s.oid::regclass as counter, t.oid::regclass as holder, a.attname as key
        from pg_attrdef f
        join pg_class t on t.oid = f.adrelid and t.relkind = 'r'
        join pg_namespace n on n.oid = t.relnamespace
        join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
        join pg_depend d on d.classid = 'pg_attrdef'::regclass
                        and d.objid = f.oid
                        and d.refclassid = 'pg_class'::regclass
        join pg_class s on s.oid = d.refobjid and s.relkind = 'S'
        where n.nspname = 'order %s\'
    loop
        execute format('select max(%I) from %s', counted.key, counted.holder) into greatest_id;
        execute format(
            'select last_value + case when is_called then 1 else 0 end from %s',
            counted.counter
        ) into next_id;
        if greatest_id >= next_id then
            perform setval(counted.counter, greatest_id);
        end if;
    end loop;
end
$$;

-- An archive schema in which nothing is left goes.
do $$
begin
    if exists (
           select 1
           from pg_namespace
           where nspname = 'order %s\_archive' and pg_has_role(nspowner, 'usage')
       )
       and not exists (
           select 1
           from pg_depend d
           join pg_namespace n on n.oid = d.refobjid
           where d.refclassid = 'pg_namespace'::regclass
             and d.deptype = 'n'
             and n.nspname = 'order %s\_archive'
       )
    then
        drop schema "order %s\_archive";
    end if;
end
$$;

-- Data schema: new tables ----------------------------------------------------

-- Both tables come back whole when a downgrade kept them.
do $$
begin
    if to_regclass('"l''""a"" b:c_archive".printer_since_1_1') is not null then
        alter table "l'""a"" b:c_archive".printer_since_1_1 set schema "l'""a"" b:c";
        alter table "l'""a"" b:c".printer_since_1_1 rename to printer;
    else
        create table "l'""a"" b:c".printer (
            printer_id      serial not null,
            printer_name    varchar not null,
            printer_queue   varchar not null,
            printer_server  varchar,
            printer_user    varchar,
            printer_comment varchar,
            constraint printer_pk primary key (printer_id)
        );
    end if;
end
$$;

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

do $$
begin
    if to_regclass('"l''""a"" b:c_archive".metadata_since_1_1') is not null then
        alter table "l'""a"" b:c_archive".metadata_since_1_1 set schema "l'""a"" b:c";
        alter table "l'""a"" b:c".metadata_since_1_1 rename to metadata;
    else
        create table "l'""a"" b:c".metadata (
            metadata_id     serial not null,
            metadata_name   varchar not null,
            metadata_schema json,
            constraint metadata_pk primary key (metadata_id)
        );
    end if;
end
$$;

comment on table "l'""a"" b:c".metadata is
    'Descriptions of the metadata that samples of a type can carry.';
comment on column "l'""a"" b:c".metadata.metadata_schema is
    'Fields of the form, as a JSON document.';

-- Sequences left behind the ids of their columns are set right.
do $$
declare
    counted record;
    greatest_id bigint;
    next_id bigint;
begin
    for counted in
        select s.oid::regclass as counter, t.oid::regclass as holder, a.attname as key
        from pg_attrdef f
        join pg_class t on t.oid = f.adrelid and t.relkind = 'r'
        join pg_namespace n on n.oid = t.relnamespace
        join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
        join pg_depend d on d.classid = 'pg_attrdef'::regclass
                        and d.objid = f.oid
                        and d.refclassid = 'pg_class'::regclass
        join pg_class s on s.oid = d.refobjid and s.relkind = 'S'
        where n.nspname = 'l''"a" b:c'
    loop
        execute format('select max(%I) from %s', counted.key, counted.holder) into greatest_id;
        execute format(
            'select last_value + case when is_called then 1 else 0 end from %s',
            counted.counter
        ) into next_id;
        if greatest_id >= next_id then
            perform setval(counted.counter, greatest_id);
        end if;
    end loop;
end
$$;

-- Data schema: small tables --------------------------------------------------

-- Releases 1.0 to 1.0.2 called the table projet_group; nothing ever renamed
-- it.
do $$
begin
    if to_regclass('"l''""a"" b:c".projet_group') is not null
       and to_regclass('"l''""a"" b:c".project_group') is null
    then
        alter table "l'""a"" b:c".projet_group rename to project_group;
    end if;
end
$$;

do $$
begin
    if exists (
        select 1
        from pg_constraint
        where conrelid = '"l''""a"" b:c".project_group'::regclass and conname = 'projet_group_pk'
    ) then
        alter table "l'""a"" b:c".project_group rename constraint projet_group_pk to project_group_pk;
    end if;
    if exists (
        select 1
        from pg_constraint
        where conrelid = '"l''""a"" b:c".project_group'::regclass and conname = 'project_project_group_fk'
    ) then
        alter table "l'""a"" b:c".project_group
            rename constraint project_project_group_fk to project_projet_group_fk;
    end if;
end
$$;

-- Until now nothing kept a group that is used here from being deleted. Rows
-- without their group stay as they are: the key then only binds new ones.
do $$
declare
    orphans bigint;
    named text;
begin
    if exists (
        select 1
        from pg_constraint
        where conrelid = '"l''""a"" b:c".project_group'::regclass and conname = 'aclgroup_projet_group_fk'
    ) then
        return;
    end if;
    select count(*),
           string_agg(format('(%s, %s)', ranked.project_id, ranked.aclgroup_id), ', '
                      order by ranked.project_id, ranked.aclgroup_id)
               filter (where ranked.place <= 20)
    into orphans, named
    from (select granted.project_id, granted.aclgroup_id,
                 row_number() over (order by granted.project_id, granted.aclgroup_id) as place
          from "l'""a"" b:c".project_group granted
          where not exists (
              select 1
              from "order %s\".aclgroup known
              where known.aclgroup_id = granted.aclgroup_id
          )) as ranked;
    if orphans = 0 then
        alter table "l'""a"" b:c".project_group
            add constraint aclgroup_projet_group_fk
                foreign key (aclgroup_id) references "order %s\".aclgroup (aclgroup_id);
    else
        alter table "l'""a"" b:c".project_group
            add constraint aclgroup_projet_group_fk
                foreign key (aclgroup_id) references "order %s\".aclgroup (aclgroup_id)
                not valid;
        raise warning 'project_group: % row(s) name a group that does not exist; the foreign key aclgroup_projet_group_fk is added as not valid. (project_id, aclgroup_id): %',
            orphans, named || case when orphans > 20 then ' ...' else '' end;
    end if;
end
$$;

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

-- What a downgrade kept comes back to the rows that still exist.
do $$
begin
    if to_regclass('"l''""a"" b:c_archive".container_type_since_1_1') is null then
        return;
    end if;
    update "l'""a"" b:c".container_type live
    set columns = kept.columns,
        lines = kept.lines,
        first_line = kept.first_line
    from "l'""a"" b:c_archive".container_type_since_1_1 kept
    where kept.container_type_id = live.container_type_id;
    if not exists (
        select 1
        from "l'""a"" b:c_archive".container_type_since_1_1 kept
        where not exists (
            select 1
            from "l'""a"" b:c".container_type live
            where live.container_type_id = kept.container_type_id
        )
    ) then
        drop table "l'""a"" b:c_archive".container_type_since_1_1;
    else
        delete from "l'""a"" b:c_archive".container_type_since_1_1 kept
        using "l'""a"" b:c".container_type live
        where live.container_type_id = kept.container_type_id;
    end if;
end
$$;

alter table "l'""a"" b:c".label
    add column metadata_id integer;

comment on column "l'""a"" b:c".label.metadata_id is
    'Metadata that the label can show.';

-- What a downgrade kept comes back to the rows that still exist.
do $$
begin
    if to_regclass('"l''""a"" b:c_archive".label_since_1_1') is null then
        return;
    end if;
    update "l'""a"" b:c".label live
    set metadata_id = kept.metadata_id
    from "l'""a"" b:c_archive".label_since_1_1 kept
    where kept.label_id = live.label_id
      and exists (
          select 1
          from "l'""a"" b:c".metadata target
          where target.metadata_id = kept.metadata_id
      );
    update "l'""a"" b:c_archive".label_since_1_1 kept
    set metadata_id = null
    from "l'""a"" b:c".label live
    where live.label_id = kept.label_id
      and exists (
          select 1
          from "l'""a"" b:c".metadata target
          where target.metadata_id = kept.metadata_id
      );
    delete from "l'""a"" b:c_archive".label_since_1_1
    where metadata_id is null;
    if not exists (select 1 from "l'""a"" b:c_archive".label_since_1_1) then
        drop table "l'""a"" b:c_archive".label_since_1_1;
    end if;
end
$$;

alter table "l'""a"" b:c".label
    add constraint metadata_label_fk
        foreign key (metadata_id) references "l'""a"" b:c".metadata (metadata_id);

alter table "l'""a"" b:c".protocol
    add column project_id integer;

comment on column "l'""a"" b:c".protocol.project_id is
    'Project that the protocol is written for.';

-- What a downgrade kept comes back to the rows that still exist.
do $$
begin
    if to_regclass('"l''""a"" b:c_archive".protocol_since_1_1') is null then
        return;
    end if;
    update "l'""a"" b:c".protocol live
    set project_id = kept.project_id
    from "l'""a"" b:c_archive".protocol_since_1_1 kept
    where kept.protocol_id = live.protocol_id
      and exists (
          select 1
          from "l'""a"" b:c".project target
          where target.project_id = kept.project_id
      );
    update "l'""a"" b:c_archive".protocol_since_1_1 kept
    set project_id = null
    from "l'""a"" b:c".protocol live
    where live.protocol_id = kept.protocol_id
      and exists (
          select 1
          from "l'""a"" b:c".project target
          where target.project_id = kept.project_id
      );
    delete from "l'""a"" b:c_archive".protocol_since_1_1
    where project_id is null;
    if not exists (select 1 from "l'""a"" b:c_archive".protocol_since_1_1) then
        drop table "l'""a"" b:c_archive".protocol_since_1_1;
    end if;
end
$$;

alter table "l'""a"" b:c".protocol
    add constraint project_protocol_fk
        foreign key (project_id) references "l'""a"" b:c".project (project_id);

alter table "l'""a"" b:c".operation
    add column operation_version varchar,
    add column last_edit_date timestamp;

comment on column "l'""a"" b:c".operation.operation_version is
    'Version of the operation.';
comment on column "l'""a"" b:c".operation.last_edit_date is
    'When the operation was last changed.';

-- What a downgrade kept comes back to the rows that still exist. Operations
-- renamed meanwhile can end up with the name and version of another one: the
-- first keeps the version, the others find theirs in the archive.
do $$
declare
    refused bigint;
    named text;
begin
    if to_regclass('"l''""a"" b:c_archive".operation_since_1_1') is null then
        return;
    end if;
    update "l'""a"" b:c".operation live
    set last_edit_date = kept.last_edit_date
    from "l'""a"" b:c_archive".operation_since_1_1 kept
    where kept.operation_id = live.operation_id;
    update "l'""a"" b:c".operation live
    set operation_version = chosen.operation_version
    from (select kept.operation_id, kept.operation_version,
                 row_number() over (
                     partition by same.operation_name, kept.operation_version
                     order by kept.operation_id
                 ) as place
          from "l'""a"" b:c_archive".operation_since_1_1 kept
          join "l'""a"" b:c".operation same on same.operation_id = kept.operation_id
          where kept.operation_version is not null) as chosen
    where chosen.operation_id = live.operation_id
      and chosen.place = 1;
    update "l'""a"" b:c_archive".operation_since_1_1 kept
    set last_edit_date = null,
        operation_version = case
            when live.operation_version is null then kept.operation_version
        end
    from "l'""a"" b:c".operation live
    where live.operation_id = kept.operation_id;
    delete from "l'""a"" b:c_archive".operation_since_1_1
    where operation_version is null and last_edit_date is null;
    select count(*), string_agg(live.operation_id::text, ', ' order by live.operation_id)
    into refused, named
    from "l'""a"" b:c_archive".operation_since_1_1 kept
    join "l'""a"" b:c".operation live on live.operation_id = kept.operation_id;
    if refused > 0 then
        raise warning 'operation: the version of % row(s) stays in the archive, another row has the same name and version. operation_id: %',
            refused, named;
    end if;
    if not exists (select 1 from "l'""a"" b:c_archive".operation_since_1_1) then
        drop table "l'""a"" b:c_archive".operation_since_1_1;
    end if;
end
$$;

alter table "l'""a"" b:c".operation
    add constraint operation_name_version_unique unique (operation_name, operation_version);

-- The sets of metadata of a sample type give way to one JSON description.
do $$
declare
    origin text;
begin
    if not exists (
        select 1
        from "l'""a"" b:c".sample_type
        where metadata_set_id is not null or metadata_set_id_second is not null
    ) then
        return;
    end if;
    if not exists (select 1 from pg_namespace where nspname = 'l''"a" b:c_archive') then
        create schema "l'""a"" b:c_archive";
    end if;
    select n.nspname || '.' || c.relname into strict origin
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = '"l''""a"" b:c".sample_type'::regclass;
    if to_regclass('"l''""a"" b:c_archive".sample_type_until_1_0_8') is null then
        create table "l'""a"" b:c_archive".sample_type_until_1_0_8 as
        select sample_type_id, metadata_set_id, metadata_set_id_second
        from "l'""a"" b:c".sample_type
        where metadata_set_id is not null or metadata_set_id_second is not null;
    else
        update "l'""a"" b:c_archive".sample_type_until_1_0_8 kept
        set metadata_set_id = coalesce(live.metadata_set_id, kept.metadata_set_id),
            metadata_set_id_second = coalesce(live.metadata_set_id_second, kept.metadata_set_id_second)
        from "l'""a"" b:c".sample_type live
        where live.sample_type_id = kept.sample_type_id
          and (live.metadata_set_id is not null or live.metadata_set_id_second is not null);
        insert into "l'""a"" b:c_archive".sample_type_until_1_0_8 (
            sample_type_id, metadata_set_id, metadata_set_id_second
        )
        select live.sample_type_id, live.metadata_set_id,
               live.metadata_set_id_second
        from "l'""a"" b:c".sample_type live
        where (live.metadata_set_id is not null or live.metadata_set_id_second is not null)
          and not exists (
              select 1
              from "l'""a"" b:c_archive".sample_type_until_1_0_8 kept
              where kept.sample_type_id = live.sample_type_id
          );
    end if;
    execute format(
        'comment on table %s is %L',
        '"l''""a"" b:c_archive".sample_type_until_1_0_8'::regclass,
        'Archived by the upgrade 1.0.8 -> 1.1 on '
            || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            || ' from ' || origin
    );
end
$$;

alter table "l'""a"" b:c".sample_type
    drop column metadata_set_id,
    drop column metadata_set_id_second,
    add column metadata_id integer;

comment on column "l'""a"" b:c".sample_type.metadata_id is
    'Metadata that samples of this type carry.';

-- What a downgrade kept comes back to the rows that still exist.
do $$
begin
    if to_regclass('"l''""a"" b:c_archive".sample_type_since_1_1') is null then
        return;
    end if;
    update "l'""a"" b:c".sample_type live
    set metadata_id = kept.metadata_id
    from "l'""a"" b:c_archive".sample_type_since_1_1 kept
    where kept.sample_type_id = live.sample_type_id
      and exists (
          select 1
          from "l'""a"" b:c".metadata target
          where target.metadata_id = kept.metadata_id
      );
    update "l'""a"" b:c_archive".sample_type_since_1_1 kept
    set metadata_id = null
    from "l'""a"" b:c".sample_type live
    where live.sample_type_id = kept.sample_type_id
      and exists (
          select 1
          from "l'""a"" b:c".metadata target
          where target.metadata_id = kept.metadata_id
      );
    delete from "l'""a"" b:c_archive".sample_type_since_1_1
    where metadata_id is null;
    if not exists (select 1 from "l'""a"" b:c_archive".sample_type_since_1_1) then
        drop table "l'""a"" b:c_archive".sample_type_since_1_1;
    end if;
end
$$;

alter table "l'""a"" b:c".sample_type
    add constraint metadata_sample_type_fk
        foreign key (metadata_id) references "l'""a"" b:c".metadata (metadata_id);

-- Data schema: tables that go ------------------------------------------------

-- Tables that hold rows move to the archive with their ids and sequences,
-- free of keys: samples can still be deleted, and each archive can be dropped
-- by itself.
do $$
declare
    tied record;
begin
    for tied in
        select conrelid::regclass as holder, conname
        from pg_constraint
        where contype = 'f'
          and conrelid in (
              to_regclass('"l''""a"" b:c".metadata_attribute'),
              to_regclass('"l''""a"" b:c".metadata_schema'),
              to_regclass('"l''""a"" b:c".metadata_set'),
              to_regclass('"l''""a"" b:c".sample_metadata')
          )
    loop
        execute format('alter table %s drop constraint %I', tied.holder, tied.conname);
    end loop;
end
$$;

-- Rows that an earlier downgrade could not bring back, for want of their
-- owner, stay with the others.
do $$
begin
    if to_regclass('"l''""a"" b:c".metadata_attribute') is null
       or to_regclass('"l''""a"" b:c_archive".metadata_attribute_until_1_0_8') is null
    then
        return;
    end if;
    with waiting as (
        delete from "l'""a"" b:c_archive".metadata_attribute_until_1_0_8 kept
        where not exists (
            select 1
            from "l'""a"" b:c".metadata_attribute live
            where live.metadata_attribute_id = kept.metadata_attribute_id
        )
        returning metadata_attribute_id, metadata_set_id, metadata_schema_id,
                  metadata_order, metadata_name, metadata_code,
                  metadata_type, metadata_multivalue,
                  metadata_measure_unit, metadata_enum,
                  metadata_defaultvalue
    )
    insert into "l'""a"" b:c".metadata_attribute (
        metadata_attribute_id, metadata_set_id, metadata_schema_id,
        metadata_order, metadata_name, metadata_code, metadata_type,
        metadata_multivalue, metadata_measure_unit, metadata_enum,
        metadata_defaultvalue
    )
    select metadata_attribute_id, metadata_set_id, metadata_schema_id,
           metadata_order, metadata_name, metadata_code, metadata_type,
           metadata_multivalue, metadata_measure_unit, metadata_enum,
           metadata_defaultvalue
    from waiting;
    if not exists (select 1 from "l'""a"" b:c_archive".metadata_attribute_until_1_0_8) then
        drop table "l'""a"" b:c_archive".metadata_attribute_until_1_0_8;
    end if;
end
$$;

do $$
begin
    if to_regclass('"l''""a"" b:c".sample_metadata') is null
       or to_regclass('"l''""a"" b:c_archive".sample_metadata_until_1_0_8') is null
    then
        return;
    end if;
    with waiting as (
        delete from "l'""a"" b:c_archive".sample_metadata_until_1_0_8 kept
        where not exists (
            select 1
            from "l'""a"" b:c".sample_metadata live
            where live.sample_id = kept.sample_id
        )
        returning sample_id, data
    )
    insert into "l'""a"" b:c".sample_metadata (
        sample_id, data
    )
    select sample_id, data
    from waiting;
    if not exists (select 1 from "l'""a"" b:c_archive".sample_metadata_until_1_0_8) then
        drop table "l'""a"" b:c_archive".sample_metadata_until_1_0_8;
    end if;
end
$$;

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
        where n.nspname = 'l''"a" b:c_archive'
          and c.relkind = 'r'
          and c.relname in (
              'metadata_attribute_until_1_0_8',
              'metadata_schema_until_1_0_8',
              'metadata_set_until_1_0_8',
              'sample_metadata_until_1_0_8'
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
            where n.nspname = 'l''"a" b:c_archive'
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
    if to_regclass('"l''""a"" b:c".metadata_attribute') is null then
        return;
    end if;
    if exists (select 1 from "l'""a"" b:c".metadata_attribute) then
        if not exists (select 1 from pg_namespace where nspname = 'l''"a" b:c_archive') then
            create schema "l'""a"" b:c_archive";
        end if;
        select n.nspname || '.' || c.relname into strict origin
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = '"l''""a"" b:c".metadata_attribute'::regclass;
        alter table "l'""a"" b:c".metadata_attribute rename to metadata_attribute_until_1_0_8;
        alter table "l'""a"" b:c".metadata_attribute_until_1_0_8 set schema "l'""a"" b:c_archive";
        execute format(
            'comment on table %s is %L',
            '"l''""a"" b:c_archive".metadata_attribute_until_1_0_8'::regclass,
            'Archived by the upgrade 1.0.8 -> 1.1 on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || origin
        );
    else
        drop table "l'""a"" b:c".metadata_attribute;
    end if;
end
$$;

do $$
declare
    origin text;
begin
    if to_regclass('"l''""a"" b:c".metadata_schema') is null then
        return;
    end if;
    if exists (select 1 from "l'""a"" b:c".metadata_schema) then
        if not exists (select 1 from pg_namespace where nspname = 'l''"a" b:c_archive') then
            create schema "l'""a"" b:c_archive";
        end if;
        select n.nspname || '.' || c.relname into strict origin
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = '"l''""a"" b:c".metadata_schema'::regclass;
        alter table "l'""a"" b:c".metadata_schema rename to metadata_schema_until_1_0_8;
        alter table "l'""a"" b:c".metadata_schema_until_1_0_8 set schema "l'""a"" b:c_archive";
        execute format(
            'comment on table %s is %L',
            '"l''""a"" b:c_archive".metadata_schema_until_1_0_8'::regclass,
            'Archived by the upgrade 1.0.8 -> 1.1 on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || origin
        );
    else
        drop table "l'""a"" b:c".metadata_schema;
    end if;
end
$$;

do $$
declare
    origin text;
begin
    if to_regclass('"l''""a"" b:c".metadata_set') is null then
        return;
    end if;
    if exists (select 1 from "l'""a"" b:c".metadata_set) then
        if not exists (select 1 from pg_namespace where nspname = 'l''"a" b:c_archive') then
            create schema "l'""a"" b:c_archive";
        end if;
        select n.nspname || '.' || c.relname into strict origin
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = '"l''""a"" b:c".metadata_set'::regclass;
        alter table "l'""a"" b:c".metadata_set rename to metadata_set_until_1_0_8;
        alter table "l'""a"" b:c".metadata_set_until_1_0_8 set schema "l'""a"" b:c_archive";
        execute format(
            'comment on table %s is %L',
            '"l''""a"" b:c_archive".metadata_set_until_1_0_8'::regclass,
            'Archived by the upgrade 1.0.8 -> 1.1 on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || origin
        );
    else
        drop table "l'""a"" b:c".metadata_set;
    end if;
end
$$;

do $$
declare
    origin text;
begin
    if to_regclass('"l''""a"" b:c".sample_metadata') is null then
        return;
    end if;
    if exists (select 1 from "l'""a"" b:c".sample_metadata) then
        if not exists (select 1 from pg_namespace where nspname = 'l''"a" b:c_archive') then
            create schema "l'""a"" b:c_archive";
        end if;
        select n.nspname || '.' || c.relname into strict origin
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = '"l''""a"" b:c".sample_metadata'::regclass;
        alter table "l'""a"" b:c".sample_metadata rename to sample_metadata_until_1_0_8;
        alter table "l'""a"" b:c".sample_metadata_until_1_0_8 set schema "l'""a"" b:c_archive";
        execute format(
            'comment on table %s is %L',
            '"l''""a"" b:c_archive".sample_metadata_until_1_0_8'::regclass,
            'Archived by the upgrade 1.0.8 -> 1.1 on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || origin
        );
    else
        drop table "l'""a"" b:c".sample_metadata;
    end if;
end
$$;

-- Data schema: tables with many rows -----------------------------------------

-- A column that no released version had, yet the original script drops.
do $$
declare
    origin text;
begin
    if not exists (
        select 1
        from pg_attribute
        where attrelid = '"l''""a"" b:c".sample'::regclass
          and attname = 'sample_metadata_id'
          and not attisdropped
    ) then
        return;
    end if;
    if exists (select 1 from "l'""a"" b:c".sample where sample_metadata_id is not null) then
        if not exists (select 1 from pg_namespace where nspname = 'l''"a" b:c_archive') then
            create schema "l'""a"" b:c_archive";
        end if;
        select n.nspname || '.' || c.relname into strict origin
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.oid = '"l''""a"" b:c".sample'::regclass;
        if to_regclass('"l''""a"" b:c_archive".sample_until_1_0_8') is null then
            create table "l'""a"" b:c_archive".sample_until_1_0_8 as
            select sample_id, sample_metadata_id
            from "l'""a"" b:c".sample
            where sample_metadata_id is not null;
        else
            insert into "l'""a"" b:c_archive".sample_until_1_0_8 (sample_id, sample_metadata_id)
            select sample_id, sample_metadata_id
            from "l'""a"" b:c".sample
            where sample_metadata_id is not null;
        end if;
        execute format(
            'comment on table %s is %L',
            '"l''""a"" b:c_archive".sample_until_1_0_8'::regclass,
            'Archived by the upgrade 1.0.8 -> 1.1 on '
                || to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                || ' from ' || origin
        );
    end if;
    alter table "l'""a"" b:c".sample drop column sample_metadata_id;
end
$$;

alter table "l'""a"" b:c".sample
    add column metadata json;

comment on column "l'""a"" b:c".sample.metadata is
    'Metadata, as a JSON document whose form is described by the type of the sample.';

-- What a downgrade kept comes back to the rows that still exist.
do $$
begin
    if to_regclass('"l''""a"" b:c_archive".sample_since_1_1') is null then
        return;
    end if;
    update "l'""a"" b:c".sample live
    set metadata = kept.metadata
    from "l'""a"" b:c_archive".sample_since_1_1 kept
    where kept.sample_id = live.sample_id;
    if not exists (
        select 1
        from "l'""a"" b:c_archive".sample_since_1_1 kept
        where not exists (
            select 1
            from "l'""a"" b:c".sample live
            where live.sample_id = kept.sample_id
        )
    ) then
        drop table "l'""a"" b:c_archive".sample_since_1_1;
    else
        delete from "l'""a"" b:c_archive".sample_since_1_1 kept
        using "l'""a"" b:c".sample live
        where live.sample_id = kept.sample_id;
    end if;
end
$$;

alter table "l'""a"" b:c".storage
    add column column_number integer not null default 1,
    add column line_number integer not null default 1;

comment on column "l'""a"" b:c".storage.column_number is
    'Column of the place in the container.';
comment on column "l'""a"" b:c".storage.line_number is
    'Line of the place in the container.';

-- What a downgrade kept comes back to the rows that still exist.
do $$
begin
    if to_regclass('"l''""a"" b:c_archive".storage_since_1_1') is null then
        return;
    end if;
    update "l'""a"" b:c".storage live
    set column_number = kept.column_number,
        line_number = kept.line_number
    from "l'""a"" b:c_archive".storage_since_1_1 kept
    where kept.storage_id = live.storage_id;
    if not exists (
        select 1
        from "l'""a"" b:c_archive".storage_since_1_1 kept
        where not exists (
            select 1
            from "l'""a"" b:c".storage live
            where live.storage_id = kept.storage_id
        )
    ) then
        drop table "l'""a"" b:c_archive".storage_since_1_1;
    else
        delete from "l'""a"" b:c_archive".storage_since_1_1 kept
        using "l'""a"" b:c".storage live
        where live.storage_id = kept.storage_id;
    end if;
end
$$;

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

-- The row of this version, as it was when a downgrade took it away.
do $$
declare
    last_id integer;
begin
    if to_regclass('"l''""a"" b:c_archive".dbversion_since_1_1') is not null then
        delete from "l'""a"" b:c".dbversion live
        using "l'""a"" b:c_archive".dbversion_since_1_1 kept
        where live.dbversion_id = kept.stand_in_id
          and live.dbversion_number = '1.0.8';
        insert into "l'""a"" b:c".dbversion (dbversion_id, dbversion_number, dbversion_date)
        select case
                   when exists (
                       select 1
                       from "l'""a"" b:c".dbversion live
                       where live.dbversion_id = kept.dbversion_id
                   ) then (select max(dbversion_id) from "l'""a"" b:c".dbversion)
                          + row_number() over (order by kept.dbversion_id)
                   else kept.dbversion_id
               end,
               kept.dbversion_number, kept.dbversion_date
        from "l'""a"" b:c_archive".dbversion_since_1_1 kept
        order by kept.dbversion_id;
        drop table "l'""a"" b:c_archive".dbversion_since_1_1;
    end if;
    if not exists (select 1 from "l'""a"" b:c".dbversion where dbversion_number = '1.1') then
        insert into "l'""a"" b:c".dbversion (dbversion_id, dbversion_number, dbversion_date)
        select coalesce(max(dbversion_id), 0) + 1, '1.1', '2017-09-01 00:00:00'
        from "l'""a"" b:c".dbversion;
    end if;
    select max(dbversion_id) into strict last_id from "l'""a"" b:c".dbversion;
    perform setval('"l''""a"" b:c".dbversion_dbversion_id_seq', last_id)
    from "l'""a"" b:c".dbversion_dbversion_id_seq
    where last_value < last_id or not is_called;
end
$$;

-- An archive schema in which nothing is left goes.
do $$
begin
    if exists (
           select 1
           from pg_namespace
           where nspname = 'l''"a" b:c_archive' and pg_has_role(nspowner, 'usage')
       )
       and not exists (
           select 1
           from pg_depend d
           join pg_namespace n on n.oid = d.refobjid
           where d.refclassid = 'pg_namespace'::regclass
             and d.deptype = 'n'
             and n.nspname = 'l''"a" b:c_archive'
       )
    then
        drop schema "l'""a"" b:c_archive";
    end if;
end
$$;

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
    'applied (by a script), adopted (found as it was) or downgraded';
comment on column "l'""a"" b:c".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "l'""a"" b:c".migration_history.client is
    'Account and host where the tool ran';
comment on column "l'""a"" b:c".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "l'""a"" b:c".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.1', 'applied', 'upgrade-1.0.8-1.1.sql', '3a2b08ccac16e2883d981c72a64d3b3b251f07584cd3da6f4329962fd14800ee', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

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
    'applied (by a script), adopted (found as it was) or downgraded';
comment on column "order %s\".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "order %s\".migration_history.client is
    'Account and host where the tool ran';
comment on column "order %s\".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "order %s\".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.1', 'applied', 'upgrade-1.0.8-1.1.sql', '3a2b08ccac16e2883d981c72a64d3b3b251f07584cd3da6f4329962fd14800ee', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

COMMIT;
