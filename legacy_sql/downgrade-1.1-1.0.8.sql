-- Downgrade from 1.1 to 1.0.8.

-- Rights schema --------------------------------------------------------------

drop table gacl.passwordlost;

-- Data schema: columns and tables of 1.1 -------------------------------------

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

alter table col.sample drop column metadata;

alter table col.sample_type drop column metadata_id;

alter table col.operation
    drop constraint operation_name_version_unique,
    drop column operation_version,
    drop column last_edit_date;

alter table col.protocol drop column project_id;

alter table col.label drop column metadata_id;

alter table col.container_type
    drop column columns,
    drop column lines,
    drop column first_line;

alter table col.project_group drop constraint aclgroup_projet_group_fk;
alter table col.project_group
    rename constraint project_projet_group_fk to project_project_group_fk;

drop table col.metadata;
drop table col.printer;

-- Data schema: columns and tables of 1.0.8 -----------------------------------

create table col.metadata_schema (
    metadata_schema_id         serial not null,
    metadata_schema_name       varchar not null,
    metadata_schema_short_name varchar,
    uri                        varchar,
    constraint metadata_schema_pk primary key (metadata_schema_id)
);

comment on table col.metadata_schema is
    'Published vocabularies that metadata attributes can come from.';
comment on column col.metadata_schema.metadata_schema_short_name is
    'Prefix of the vocabulary.';
comment on column col.metadata_schema.uri is
    'Where the vocabulary is published.';

create table col.metadata_set (
    metadata_set_id   serial not null,
    metadata_set_name varchar not null,
    constraint metadata_set_pk primary key (metadata_set_id)
);

comment on table col.metadata_set is
    'Named sets of metadata attributes, used by sample types.';

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
    constraint metadata_attribute_pk primary key (metadata_attribute_id),
    constraint metadata_set_metadata_attribute_fk
        foreign key (metadata_set_id) references col.metadata_set (metadata_set_id),
    constraint metadata_schema_metadata_attribute_fk
        foreign key (metadata_schema_id) references col.metadata_schema (metadata_schema_id)
);

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

alter table col.sample_type
    add column metadata_set_id integer,
    add column metadata_set_id_second integer,
    add constraint metadata_set_sample_type_fk
        foreign key (metadata_set_id) references col.metadata_set (metadata_set_id),
    add constraint metadata_set_sample_type_fk1
        foreign key (metadata_set_id_second) references col.metadata_set (metadata_set_id);

comment on column col.sample_type.metadata_set_id is
    'First set of metadata.';
comment on column col.sample_type.metadata_set_id_second is
    'Second set of metadata.';

create table col.sample_metadata (
    sample_id integer not null,
    data      jsonb not null,
    constraint sample_metadata_pk primary key (sample_id),
    constraint sample_sample_metadata_fk
        foreign key (sample_id) references col.sample (sample_id)
);

comment on table col.sample_metadata is
    'Metadata of samples: one document for each sample.';
comment on column col.sample_metadata.data is
    'Values by attribute.';

-- A database installed at 1.1 has no row of 1.0.8, which the application asks for.
insert into col.dbversion (dbversion_number, dbversion_date)
select '1.0.8', '2017-06-02'
where not exists (select 1 from col.dbversion where dbversion_number = '1.0.8');

delete from col.dbversion where dbversion_number = '1.1';
