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

create schema if not exists "col";

CREATE TABLE "col".alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 1.0

-- legacy_sql/gacl_create-1.0.sql
-- Creation of the rights schema (gacl), version 1.0: logins, groups, rights, log.
--
-- For an empty database, before col_create-1.0.sql. By hand:
--   psql -v ON_ERROR_STOP=1 -1 -f gacl_create-1.0.sql -f col_create-1.0.sql DATABASE
--
-- The rights and groups are those of 1.0.8: 1.0 shipped with one right only, so
-- that this start and an installation of 1.1 meet.

-- Tested first: `if not exists` asks for the right to create schemas even when there is one.
do $$
begin
    if not exists (select 1 from pg_namespace where nspname = 'gacl') then
        create schema gacl;
    end if;
end
$$;

-- Tables ---------------------------------------------------------------------

create table gacl.aclappli (
    aclappli_id serial not null,
    appli       varchar not null,
    applidetail varchar,
    constraint aclappli_pk primary key (aclappli_id)
);

comment on table gacl.aclappli is
    'Applications whose rights are kept here.';
comment on column gacl.aclappli.appli is
    'Code by which the application asks for its rights; set in its parameters.';
comment on column gacl.aclappli.applidetail is
    'Free description.';

create table gacl.aclaco (
    aclaco_id   serial not null,
    aclappli_id integer not null,
    aco         varchar not null,
    constraint aclaco_pk primary key (aclaco_id),
    constraint aclappli_aclaco_fk
        foreign key (aclappli_id) references gacl.aclappli (aclappli_id)
);

comment on table gacl.aclaco is
    'Rights that an application knows (administration, parameters, projects ...).';
comment on column gacl.aclaco.aco is
    'Name of the right, as the application tests it.';

create table gacl.aclgroup (
    aclgroup_id        serial not null,
    groupe             varchar not null,
    aclgroup_id_parent integer,
    constraint aclgroup_pk primary key (aclgroup_id),
    constraint aclgroup_aclgroup_fk
        foreign key (aclgroup_id_parent) references gacl.aclgroup (aclgroup_id)
);

comment on table gacl.aclgroup is
    'Groups of logins. A group also has the rights of the groups below it in the tree.';
comment on column gacl.aclgroup.groupe is
    'Name of the group.';
comment on column gacl.aclgroup.aclgroup_id_parent is
    'Group that this one derives from.';

create table gacl.aclacl (
    aclaco_id   integer not null,
    aclgroup_id integer not null,
    constraint aclacl_pk primary key (aclaco_id, aclgroup_id),
    constraint aclaco_aclacl_fk
        foreign key (aclaco_id) references gacl.aclaco (aclaco_id),
    constraint aclgroup_aclacl_fk
        foreign key (aclgroup_id) references gacl.aclgroup (aclgroup_id)
);

comment on table gacl.aclacl is
    'Rights given to groups.';

create table gacl.acllogin (
    acllogin_id serial not null,
    login       varchar not null,
    logindetail varchar not null,
    constraint acllogin_pk primary key (acllogin_id)
);

comment on table gacl.acllogin is
    'Logins that can belong to groups, whatever authenticates them.';
comment on column gacl.acllogin.login is
    'Login as it is typed.';
comment on column gacl.acllogin.logindetail is
    'Name shown on screen.';

create table gacl.acllogingroup (
    acllogin_id integer not null,
    aclgroup_id integer not null,
    constraint acllogingroup_pk primary key (acllogin_id, aclgroup_id),
    constraint aclgroup_acllogingroup_fk
        foreign key (aclgroup_id) references gacl.aclgroup (aclgroup_id),
    constraint acllogin_acllogingroup_fk
        foreign key (acllogin_id) references gacl.acllogin (acllogin_id)
);

comment on table gacl.acllogingroup is
    'Members of groups.';

create table gacl.log (
    log_id      serial not null,
    login       varchar(32) not null,
    nom_module  varchar,
    log_date    timestamp not null,
    commentaire varchar,
    ipaddress   varchar,
    constraint log_pk primary key (log_id)
);

comment on table gacl.log is
    'Actions of users: module called, connection, failure.';
comment on column gacl.log.login is
    'Login, or what was typed for one.';
comment on column gacl.log.nom_module is
    'Module of the application that was called.';
comment on column gacl.log.commentaire is
    'Result, or what the action was about.';
comment on column gacl.log.ipaddress is
    'Address of the client.';

-- Shared by two tables and therefore owned by neither.
create sequence gacl.seq_logingestion_id;

create table gacl.logingestion (
    id        integer not null default nextval('gacl.seq_logingestion_id'),
    login     varchar(32) not null,
    password  varchar(255),
    nom       varchar(32),
    prenom    varchar(32),
    mail      varchar(255),
    datemodif date,
    actif     smallint default 1,
    constraint pk_logingestion primary key (id)
);

comment on table gacl.logingestion is
    'Local accounts, used when the application checks passwords itself.';
comment on column gacl.logingestion.password is
    'SHA-256 of the password followed by the login, in hexadecimal. Null: nobody can log in with this account.';
comment on column gacl.logingestion.nom is
    'Family name.';
comment on column gacl.logingestion.prenom is
    'First name.';
comment on column gacl.logingestion.datemodif is
    'Day of the last change of the password.';
comment on column gacl.logingestion.actif is
    '1 for an account in use, 0 for a closed one.';

create table gacl.login_oldpassword (
    login_oldpassword_id serial not null,
    id                   integer not null default nextval('gacl.seq_logingestion_id'),
    password             varchar(255),
    constraint login_oldpassword_pk primary key (login_oldpassword_id),
    constraint logingestion_login_oldpassword_fk
        foreign key (id) references gacl.logingestion (id)
);

comment on table gacl.login_oldpassword is
    'Earlier passwords of local accounts, so that they are not used again.';
comment on column gacl.login_oldpassword.id is
    'Account. The default, shared with logingestion, is historical: the application always gives a value.';
comment on column gacl.login_oldpassword.password is
    'Stored as in logingestion.';

create index log_date_idx on gacl.log (log_date);
create index log_login_idx on gacl.log (login);

-- Rows that an installation starts with --------------------------------------

-- 'col' is the code of the application, whatever the data schema is called.
insert into gacl.aclappli (aclappli_id, appli) values
    (1, 'col');
insert into gacl.aclaco (aclaco_id, aclappli_id, aco) values
    (1, 1, 'admin'),
    (2, 1, 'param'),
    (3, 1, 'projet'),
    (4, 1, 'gestion'),
    (5, 1, 'consult');
insert into gacl.aclgroup (aclgroup_id, groupe, aclgroup_id_parent) values
    (1, 'admin', null),
    (2, 'consult', null),
    (3, 'gestion', 2),
    (4, 'projet', 3),
    (5, 'param', 4);
insert into gacl.aclacl (aclaco_id, aclgroup_id) values
    (1, 1),
    (2, 5),
    (3, 4),
    (4, 3),
    (5, 2);
insert into gacl.acllogin (acllogin_id, login, logindetail) values
    (1, 'admin', 'admin');
insert into gacl.acllogingroup (acllogin_id, aclgroup_id) values
    (1, 1),
    (1, 5);
-- No password: nobody can log in until one is set. The application expects
-- the SHA-256 of the password followed by the login, in hexadecimal; from 11 on:
--   update gacl.logingestion
--   set password = encode(sha256(convert_to('the password' || login, 'UTF8')), 'hex')
--   where login = 'admin';
insert into gacl.logingestion (id, login, password, nom, actif) values
    (1, 'admin', null, 'Administrator', 1);

-- Sequences: where the rows above end ----------------------------------------

select setval('gacl.aclappli_aclappli_id_seq', (select max(aclappli_id) from gacl.aclappli));
select setval('gacl.aclaco_aclaco_id_seq', (select max(aclaco_id) from gacl.aclaco));
select setval('gacl.aclgroup_aclgroup_id_seq', (select max(aclgroup_id) from gacl.aclgroup));
select setval('gacl.acllogin_acllogin_id_seq', (select max(acllogin_id) from gacl.acllogin));
select setval('gacl.seq_logingestion_id', (select max(id) from gacl.logingestion));

update "gacl".logingestion set password = '5d4879183b18e7aebd88b519ef615b707284ba6fc8ef9ece99c550e15a4dfdf6' where login = 'admin' and password is null;

-- legacy_sql/col_create-1.0.sql
-- Creation of the data schema (col), version 1.0: samples, containers, movements.
--
-- After gacl_create-1.0.sql, whose groups it reads. By hand:
--   psql -v ON_ERROR_STOP=1 -1 -f gacl_create-1.0.sql -f col_create-1.0.sql DATABASE

-- Tested first: `if not exists` asks for the right to create schemas even when there is one.
do $$
begin
    if not exists (select 1 from pg_namespace where nspname = 'col') then
        create schema col;
    end if;
end
$$;

-- Tables ---------------------------------------------------------------------

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
    constraint metadata_schema_metadata_attribute_fk
        foreign key (metadata_schema_id) references col.metadata_schema (metadata_schema_id),
    constraint metadata_set_metadata_attribute_fk
        foreign key (metadata_set_id) references col.metadata_set (metadata_set_id)
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

create table col.label (
    label_id     serial not null,
    label_name   varchar not null,
    label_xsl    varchar not null,
    label_fields varchar not null default 'uid,id,clp,db',
    constraint label_pk primary key (label_id)
);

comment on table col.label is
    'Models of labels: an XSL-FO stylesheet that turns the XML of the chosen objects into pages.';
comment on column col.label.label_xsl is
    'XSL-FO stylesheet. Its input is <objects><object>...</object></objects>; the QR code of an object is the image UID.png.';
comment on column col.label.label_fields is
    'Fields put into the QR code, separated by commas.';

create table col.project (
    project_id   serial not null,
    project_name varchar not null,
    constraint project_pk primary key (project_id)
);

comment on table col.project is
    'Projects: samples belong to one, and rights on samples go by project.';

create table col.project_group (
    project_id  integer not null,
    aclgroup_id integer not null,
    constraint project_group_pk primary key (project_id, aclgroup_id),
    constraint project_project_group_fk
        foreign key (project_id) references col.project (project_id)
);

comment on table col.project_group is
    'Groups of users who may work on the samples of a project.';
comment on column col.project_group.aclgroup_id is
    'Group of the rights schema.';

create table col.protocol (
    protocol_id      serial not null,
    protocol_name    varchar not null,
    protocol_file    bytea,
    protocol_year    smallint,
    protocol_version varchar not null default 'v1.0',
    constraint protocol_pk primary key (protocol_id)
);

comment on table col.protocol is
    'Protocols that samples are collected under.';
comment on column col.protocol.protocol_file is
    'Description of the protocol, a PDF file.';

create table col.operation (
    operation_id    serial not null,
    protocol_id     integer not null,
    operation_name  varchar not null,
    operation_order integer,
    constraint operation_pk primary key (operation_id),
    constraint protocol_operation_fk
        foreign key (protocol_id) references col.protocol (protocol_id)
);

comment on table col.operation is
    'Operations of a protocol: the steps at which samples are made.';
comment on column col.operation.operation_order is
    'Rank in the protocol.';

create table col.multiple_type (
    multiple_type_id   serial not null,
    multiple_type_name varchar not null,
    constraint multiple_type_pk primary key (multiple_type_id)
);

comment on table col.multiple_type is
    'What the quantity in a sample that can be divided is counted in.';

create table col.storage_condition (
    storage_condition_id   serial not null,
    storage_condition_name varchar not null,
    constraint storage_condition_pk primary key (storage_condition_id)
);

comment on table col.storage_condition is
    'Conditions of storage, such as a temperature.';

create table col.container_family (
    container_family_id   serial not null,
    container_family_name varchar not null,
    is_movable            boolean not null default true,
    constraint container_family_pk primary key (container_family_id)
);

comment on table col.container_family is
    'Families of containers.';
comment on column col.container_family.is_movable is
    'False for buildings, rooms and what stays where it is.';

create table col.container_type (
    container_type_id          serial not null,
    container_type_name        varchar not null,
    container_family_id        integer not null,
    storage_condition_id       integer,
    label_id                   integer,
    container_type_description varchar,
    storage_product            varchar,
    clp_classification         varchar,
    constraint container_type_pk primary key (container_type_id),
    constraint container_family_container_type_fk
        foreign key (container_family_id) references col.container_family (container_family_id),
    constraint label_container_type_fk
        foreign key (label_id) references col.label (label_id),
    constraint storage_condition_container_type_fk
        foreign key (storage_condition_id) references col.storage_condition (storage_condition_id)
);

comment on table col.container_type is
    'Types of containers.';
comment on column col.container_type.label_id is
    'Label of the objects of this type.';
comment on column col.container_type.storage_product is
    'Product that the samples are kept in.';
comment on column col.container_type.clp_classification is
    'Hazard class of that product (CLP regulation).';

create table col.sample_type (
    sample_type_id         serial not null,
    sample_type_name       varchar not null,
    container_type_id      integer,
    operation_id           integer,
    metadata_set_id        integer,
    metadata_set_id_second integer,
    multiple_type_id       integer,
    multiple_unit          varchar,
    constraint sample_type_pk primary key (sample_type_id),
    constraint container_type_sample_type_fk
        foreign key (container_type_id) references col.container_type (container_type_id),
    constraint metadata_set_sample_type_fk
        foreign key (metadata_set_id) references col.metadata_set (metadata_set_id),
    constraint metadata_set_sample_type_fk1
        foreign key (metadata_set_id_second) references col.metadata_set (metadata_set_id),
    constraint multiple_type_sample_type_fk
        foreign key (multiple_type_id) references col.multiple_type (multiple_type_id),
    constraint operation_sample_type_fk
        foreign key (operation_id) references col.operation (operation_id)
);

comment on table col.sample_type is
    'Types of samples.';
comment on column col.sample_type.container_type_id is
    'Container that the sample always comes in; null when it varies.';
comment on column col.sample_type.operation_id is
    'Operation that makes such samples.';
comment on column col.sample_type.metadata_set_id is
    'First set of metadata.';
comment on column col.sample_type.metadata_set_id_second is
    'Second set of metadata.';
comment on column col.sample_type.multiple_type_id is
    'Null when the sample cannot be divided.';
comment on column col.sample_type.multiple_unit is
    'Unit of the quantity.';

create table col.object_status (
    object_status_id   serial not null,
    object_status_name varchar not null,
    constraint object_status_pk primary key (object_status_id)
);

comment on table col.object_status is
    'States of an object.';

create table col.object (
    uid              serial not null,
    identifier       varchar,
    object_status_id integer,
    wgs84_x          double precision,
    wgs84_y          double precision,
    constraint object_pk primary key (uid),
    constraint object_status_object_fk
        foreign key (object_status_id) references col.object_status (object_status_id)
);

comment on table col.object is
    'What carries a label: every sample and every container is one object.';
comment on column col.object.uid is
    'Number printed on the label, unique over samples and containers.';
comment on column col.object.identifier is
    'Name given by the laboratory.';
comment on column col.object.wgs84_x is
    'Longitude, in degrees (WGS 84).';
comment on column col.object.wgs84_y is
    'Latitude, in degrees (WGS 84).';

create table col.identifier_type (
    identifier_type_id   serial not null,
    identifier_type_name varchar not null,
    identifier_type_code varchar not null,
    constraint identifier_type_pk primary key (identifier_type_id)
);

comment on table col.identifier_type is
    'Kinds of further identifiers of an object.';
comment on column col.identifier_type.identifier_type_code is
    'Code shown before the value.';

create table col.object_identifier (
    object_identifier_id    serial not null,
    uid                     integer not null,
    identifier_type_id      integer not null,
    object_identifier_value varchar not null,
    constraint object_identifier_pk primary key (object_identifier_id),
    constraint identifier_type_object_identifier_fk
        foreign key (identifier_type_id) references col.identifier_type (identifier_type_id),
    constraint object_object_identifier_fk
        foreign key (uid) references col.object (uid)
);

comment on table col.object_identifier is
    'Further identifiers of objects.';

create table col.container (
    container_id      serial not null,
    uid               integer not null,
    container_type_id integer not null,
    constraint container_pk primary key (container_id),
    constraint container_type_container_fk
        foreign key (container_type_id) references col.container_type (container_type_id),
    constraint object_container_fk
        foreign key (uid) references col.object (uid)
);

comment on table col.container is
    'Containers: any place that holds other objects, from the site to the box.';
comment on column col.container.uid is
    'The container as an object.';

create table col.sample (
    sample_id            serial not null,
    uid                  integer not null,
    project_id           integer not null,
    sample_type_id       integer not null,
    sample_creation_date timestamp not null,
    sample_date          timestamp,
    parent_sample_id     integer,
    multiple_value       double precision,
    constraint sample_pk primary key (sample_id),
    constraint object_sample_fk
        foreign key (uid) references col.object (uid),
    constraint project_sample_fk
        foreign key (project_id) references col.project (project_id),
    constraint sample_sample_fk
        foreign key (parent_sample_id) references col.sample (sample_id),
    constraint sample_type_sample_fk
        foreign key (sample_type_id) references col.sample_type (sample_type_id)
);

comment on table col.sample is
    'Samples.';
comment on column col.sample.uid is
    'The sample as an object.';
comment on column col.sample.sample_creation_date is
    'When the sample was entered.';
comment on column col.sample.sample_date is
    'When the sample was collected.';
comment on column col.sample.parent_sample_id is
    'Sample that this one was taken from.';
comment on column col.sample.multiple_value is
    'Quantity at the start, for a sample that can be divided.';

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

create table col.movement_type (
    movement_type_id   serial not null,
    movement_type_name varchar not null,
    constraint movement_type_pk primary key (movement_type_id)
);

comment on table col.movement_type is
    'Kinds of movements: 1 into a container, 2 out of it.';

create table col.storage_reason (
    storage_reason_id   serial not null,
    storage_reason_name varchar not null,
    constraint storage_reason_pk primary key (storage_reason_id)
);

comment on table col.storage_reason is
    'Reasons for taking an object out.';

create table col.storage (
    storage_id        serial not null,
    uid               integer not null,
    container_id      integer,
    movement_type_id  integer not null,
    storage_reason_id integer,
    storage_date      timestamp not null,
    range             varchar,
    login             varchar not null,
    storage_comment   varchar,
    constraint storage_pk primary key (storage_id),
    constraint container_storage_fk
        foreign key (container_id) references col.container (container_id),
    constraint movement_type_storage_fk
        foreign key (movement_type_id) references col.movement_type (movement_type_id),
    constraint object_storage_fk
        foreign key (uid) references col.object (uid),
    constraint storage_reason_storage_fk
        foreign key (storage_reason_id) references col.storage_reason (storage_reason_id)
);

comment on table col.storage is
    'Movements of objects: into a container, or out of storage.';
comment on column col.storage.uid is
    'Object that moved.';
comment on column col.storage.container_id is
    'Container that it went into; null when it left.';
comment on column col.storage.storage_date is
    'When the object moved.';
comment on column col.storage.range is
    'Where in the container, as free text.';
comment on column col.storage.login is
    'Who recorded the movement.';

create table col.subsample (
    subsample_id       serial not null,
    sample_id          integer not null,
    movement_type_id   integer not null,
    subsample_quantity double precision,
    subsample_date     timestamp not null,
    subsample_login    varchar not null,
    subsample_comment  varchar,
    constraint subsample_pk primary key (subsample_id),
    constraint movement_type_subsample_fk
        foreign key (movement_type_id) references col.movement_type (movement_type_id),
    constraint sample_subsample_fk
        foreign key (sample_id) references col.sample (sample_id)
);

comment on table col.subsample is
    'Quantities taken from or put back into samples that can be divided.';
comment on column col.subsample.movement_type_id is
    '1 when put back, 2 when taken.';

create table col.booking (
    booking_id      serial not null,
    uid             integer not null,
    booking_date    timestamp not null,
    date_from       timestamp not null,
    date_to         timestamp not null,
    booking_login   varchar not null,
    booking_comment varchar,
    constraint booking_pk primary key (booking_id),
    constraint object_booking_fk
        foreign key (uid) references col.object (uid)
);

comment on table col.booking is
    'Reservations of objects.';
comment on column col.booking.booking_date is
    'When the reservation was made.';
comment on column col.booking.booking_login is
    'Who made the reservation.';

create table col.event_type (
    event_type_id   serial not null,
    event_type_name varchar not null,
    is_sample       boolean not null default false,
    is_container    boolean not null default false,
    constraint event_type_pk primary key (event_type_id)
);

comment on table col.event_type is
    'Kinds of events.';
comment on column col.event_type.is_sample is
    'The event can happen to a sample.';
comment on column col.event_type.is_container is
    'The event can happen to a container.';

create table col.event (
    event_id        serial not null,
    uid             integer not null,
    event_type_id   integer not null,
    event_date      timestamp not null,
    still_available varchar,
    event_comment   varchar,
    constraint event_pk primary key (event_id),
    constraint event_type_event_fk
        foreign key (event_type_id) references col.event_type (event_type_id),
    constraint object_event_fk
        foreign key (uid) references col.object (uid)
);

comment on table col.event is
    'Events in the life of objects.';
comment on column col.event.still_available is
    'What remains of the object after the event.';

create table col.mime_type (
    mime_type_id serial not null,
    extension    varchar not null,
    content_type varchar not null,
    constraint mime_type_pk primary key (mime_type_id)
);

comment on table col.mime_type is
    'Types of files that can be attached to objects.';
comment on column col.mime_type.mime_type_id is
    '4, 5 and 6 are the photographs of the view last_photo.';

create table col.document (
    document_id            serial not null,
    uid                    integer not null,
    mime_type_id           integer not null,
    document_import_date   timestamp not null,
    document_name          varchar not null,
    document_description   varchar,
    data                   bytea,
    thumbnail              bytea,
    size                   integer,
    document_creation_date timestamp,
    constraint document_pk primary key (document_id),
    constraint mime_type_document_fk
        foreign key (mime_type_id) references col.mime_type (mime_type_id),
    constraint object_document_fk
        foreign key (uid) references col.object (uid)
);

comment on table col.document is
    'Files attached to objects.';
comment on column col.document.document_name is
    'Name of the file.';
comment on column col.document.data is
    'The file itself.';
comment on column col.document.thumbnail is
    'Reduced image, as PNG.';
comment on column col.document.size is
    'Size of the file in bytes.';
comment on column col.document.document_creation_date is
    'When the file was made, for instance when the photograph was taken.';

-- Views ----------------------------------------------------------------------

create view col.aclgroup as
select aclgroup_id, groupe, aclgroup_id_parent
from gacl.aclgroup;

comment on view col.aclgroup is
    'Groups of the rights schema, for screens that work on the data schema alone.';

-- One pass over the movements: the window gives each of them the date of the
-- object's last one. Two movements at that very moment both count.
create view col.last_movement as
select moved.uid,
       moved.storage_id,
       moved.storage_date,
       moved.movement_type_id,
       moved.container_id,
       holder.uid as container_uid
from (select uid, storage_id, storage_date, movement_type_id, container_id,
             max(storage_date) over (partition by uid) as last_date
      from col.storage) as moved
join col.container as holder on holder.container_id = moved.container_id
where moved.storage_date = moved.last_date;

comment on view col.last_movement is
    'Where each object is: its last movement, when that went into a container.';

create view col.last_photo as
select distinct on (uid) document_id, uid
from col.document
where mime_type_id in (4, 5, 6)
order by uid, document_creation_date desc, document_import_date desc, document_id desc;

comment on view col.last_photo is
    'Newest photograph (JPEG or PNG) of each object.';

create view col.v_object_identifier as
select named.uid,
       string_agg(
           kind.identifier_type_code || ':' || named.object_identifier_value, ','
           order by kind.identifier_type_code, named.object_identifier_value
       ) as identifiers
from col.object_identifier as named
join col.identifier_type as kind on kind.identifier_type_id = named.identifier_type_id
group by named.uid;

comment on view col.v_object_identifier is
    'Further identifiers of each object on one line, as code:value,code:value.';

-- Rows that an installation starts with --------------------------------------

insert into col.multiple_type (multiple_type_id, multiple_type_name) values
    (1, 'Unité'),
    (2, 'Pourcentage'),
    (3, 'Quantité ou volume'),
    (4, 'Autre');
insert into col.container_family (container_family_id, container_family_name, is_movable) values
    (1, 'Immobilier', false),
    (2, 'Mobilier', false);
insert into col.container_type (container_type_id, container_type_name, container_family_id) values
    (1, 'Site', 1),
    (2, 'Bâtiment', 1),
    (3, 'Pièce', 1),
    (4, 'Armoire', 2),
    (5, 'Congélateur', 2);
insert into col.object_status (object_status_id, object_status_name) values
    (1, 'État normal'),
    (2, 'Objet pré-réservé pour usage ultérieur'),
    (3, 'Objet détruit'),
    (4, 'Echantillon vidé de tout contenu');
insert into col.movement_type (movement_type_id, movement_type_name) values
    (1, 'Entrée/Entry'),
    (2, 'Sortie/Exit');
insert into col.event_type (event_type_id, event_type_name, is_sample, is_container) values
    (1, 'Autre', true, true),
    (2, 'Conteneur cassé', false, true),
    (3, 'Échantillon détruit', true, false),
    (4, 'Prélèvement pour analyse', true, false),
    (5, 'Échantillon totalement analysé, détruit', true, false);
insert into col.mime_type (mime_type_id, extension, content_type) values
    (1, 'pdf', 'application/pdf'),
    (2, 'zip', 'application/zip'),
    (3, 'mp3', 'audio/mpeg'),
    (4, 'jpg', 'image/jpeg'),
    (5, 'jpeg', 'image/jpeg'),
    (6, 'png', 'image/png'),
    (7, 'tiff', 'image/tiff'),
    (8, 'csv', 'text/csv'),
    (9, 'odt', 'application/vnd.oasis.opendocument.text'),
    (10, 'ods', 'application/vnd.oasis.opendocument.spreadsheet'),
    (11, 'xls', 'application/vnd.ms-excel'),
    (12, 'xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'),
    (13, 'doc', 'application/msword'),
    (14, 'docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document');
-- The one example of a label, for 10 by 5 cm.
insert into col.label (label_id, label_name, label_fields, label_xsl) values
    (1, 'Exemple - ne pas utiliser', 'uid,id,clp,db,prj', '<?xml version="1.0" encoding="UTF-8"?>
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:fo="http://www.w3.org/1999/XSL/Format">
  <xsl:output method="xml" indent="yes"/>

  <xsl:template match="/objects">
    <fo:root>
      <fo:layout-master-set>
        <fo:simple-page-master master-name="label"
            page-width="10cm" page-height="5cm" margin="0.4cm">
          <fo:region-body/>
        </fo:simple-page-master>
      </fo:layout-master-set>
      <fo:page-sequence master-reference="label">
        <fo:flow flow-name="xsl-region-body">
          <xsl:apply-templates select="object"/>
        </fo:flow>
      </fo:page-sequence>
    </fo:root>
  </xsl:template>

  <xsl:template match="object">
    <fo:table table-layout="fixed" width="9.2cm" page-break-inside="avoid">
      <xsl:if test="position() != last()">
        <xsl:attribute name="page-break-after">always</xsl:attribute>
      </xsl:if>
      <fo:table-column column-width="4.2cm"/>
      <fo:table-column column-width="5cm"/>
      <fo:table-body>
        <fo:table-row height="4.1cm">
          <fo:table-cell display-align="center">
            <fo:block>
              <fo:external-graphic src="{uid}.png" scaling="uniform"
                  content-width="4cm" content-height="4cm"/>
            </fo:block>
          </fo:table-cell>
          <fo:table-cell display-align="center" font-family="sans-serif" font-size="12pt">
            <fo:block>uid: <fo:inline font-weight="bold"><xsl:value-of select="uid"/></fo:inline></fo:block>
            <fo:block>id: <fo:inline font-weight="bold"><xsl:value-of select="id"/></fo:inline></fo:block>
            <fo:block>prj: <fo:inline font-weight="bold"><xsl:value-of select="prj"/></fo:inline></fo:block>
            <fo:block>clp: <fo:inline font-weight="bold"><xsl:value-of select="clp"/></fo:inline></fo:block>
          </fo:table-cell>
        </fo:table-row>
      </fo:table-body>
    </fo:table>
  </xsl:template>
</xsl:stylesheet>');

-- Sequences: where the rows above end ----------------------------------------

select setval('col.label_label_id_seq', (select max(label_id) from col.label));
select setval('col.multiple_type_multiple_type_id_seq', (select max(multiple_type_id) from col.multiple_type));
select setval('col.container_family_container_family_id_seq', (select max(container_family_id) from col.container_family));
select setval('col.container_type_container_type_id_seq', (select max(container_type_id) from col.container_type));
select setval('col.object_status_object_status_id_seq', (select max(object_status_id) from col.object_status));
select setval('col.movement_type_movement_type_id_seq', (select max(movement_type_id) from col.movement_type));
select setval('col.event_type_event_type_id_seq', (select max(event_type_id) from col.event_type));
select setval('col.mime_type_mime_type_id_seq', (select max(mime_type_id) from col.mime_type));

INSERT INTO "col".alembic_version (version_num) VALUES ('1.0') RETURNING "col".alembic_version.version_num;

create table if not exists "col".migration_history (
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
comment on table "col".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "col".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "col".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "col".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "col".migration_history.client is
    'Account and host where the tool ran';
comment on column "col".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "col".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.0', 'applied', 'gacl_create-1.0.sql, col_create-1.0.sql', '758be13558f114da7d3b1bfd1cfa188e9643bb29b50833d051ded2a2ab1a2909', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

create table if not exists "gacl".migration_history (
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
comment on table "gacl".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "gacl".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "gacl".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "gacl".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "gacl".migration_history.client is
    'Account and host where the tool ran';
comment on column "gacl".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "gacl".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.0', 'applied', 'gacl_create-1.0.sql, col_create-1.0.sql', '758be13558f114da7d3b1bfd1cfa188e9643bb29b50833d051ded2a2ab1a2909', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

-- Running upgrade 1.0 -> 1.0.4

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


do $collec$ begin perform pg_temp.collec_before('gacl', 'gacl_archive', '1.0', '1.0.4'); perform pg_temp.collec_before('col', 'col_archive', '1.0', '1.0.4'); end $collec$;

-- legacy_sql/upgrade-1.0-1.0.4.sql
-- Upgrade from 1.0 to 1.0.4: last_movement also tells that an object left.

create or replace view col.last_movement as
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

do $collec$ begin perform pg_temp.collec_after('gacl', 'gacl_archive', '1.0', '1.0.4'); perform pg_temp.collec_after('col', 'col_archive', '1.0', '1.0.4'); end $collec$;

UPDATE "col".alembic_version SET version_num='1.0.4' WHERE "col".alembic_version.version_num = '1.0';

create table if not exists "col".migration_history (
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
comment on table "col".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "col".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "col".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "col".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "col".migration_history.client is
    'Account and host where the tool ran';
comment on column "col".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "col".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.0.4', 'applied', 'upgrade-1.0-1.0.4.sql', '68ce3c113458617bd4a33fbab1cf7715ac450698b13d6a4009d8e769b6c87656', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

create table if not exists "gacl".migration_history (
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
comment on table "gacl".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "gacl".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "gacl".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "gacl".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "gacl".migration_history.client is
    'Account and host where the tool ran';
comment on column "gacl".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "gacl".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.0.4', 'applied', 'upgrade-1.0-1.0.4.sql', '68ce3c113458617bd4a33fbab1cf7715ac450698b13d6a4009d8e769b6c87656', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

-- Running upgrade 1.0.4 -> 1.0.5

do $collec$ begin perform pg_temp.collec_before('gacl', 'gacl_archive', '1.0.4', '1.0.5'); perform pg_temp.collec_before('col', 'col_archive', '1.0.4', '1.0.5'); end $collec$;

-- legacy_sql/upgrade-1.0.4-1.0.5.sql
-- Upgrade from 1.0.4 to 1.0.5: places where samples are collected.

create table col.sampling_place (
    sampling_place_id   serial not null,
    sampling_place_name varchar not null,
    constraint sampling_place_pk primary key (sampling_place_id)
);

comment on table col.sampling_place is
    'Places where samples are collected.';

alter table col.sample
    add column sampling_place_id integer,
    add constraint sampling_place_sample_fk
        foreign key (sampling_place_id) references col.sampling_place (sampling_place_id);

do $collec$ begin perform pg_temp.collec_after('gacl', 'gacl_archive', '1.0.4', '1.0.5'); perform pg_temp.collec_after('col', 'col_archive', '1.0.4', '1.0.5'); end $collec$;

UPDATE "col".alembic_version SET version_num='1.0.5' WHERE "col".alembic_version.version_num = '1.0.4';

create table if not exists "col".migration_history (
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
comment on table "col".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "col".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "col".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "col".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "col".migration_history.client is
    'Account and host where the tool ran';
comment on column "col".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "col".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.0.5', 'applied', 'upgrade-1.0.4-1.0.5.sql', '8302dd8b974e997f82aae8763a8d0ef48104a9f5685852cce5b99bb9340f64dc', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

create table if not exists "gacl".migration_history (
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
comment on table "gacl".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "gacl".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "gacl".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "gacl".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "gacl".migration_history.client is
    'Account and host where the tool ran';
comment on column "gacl".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "gacl".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.0.5', 'applied', 'upgrade-1.0.4-1.0.5.sql', '8302dd8b974e997f82aae8763a8d0ef48104a9f5685852cce5b99bb9340f64dc', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

-- Running upgrade 1.0.5 -> 1.0.6

do $collec$ begin perform pg_temp.collec_before('gacl', 'gacl_archive', '1.0.5', '1.0.6'); perform pg_temp.collec_before('col', 'col_archive', '1.0.5', '1.0.6'); end $collec$;

-- legacy_sql/upgrade-1.0.5-1.0.6.sql
-- Upgrade from 1.0.5 to 1.0.6: origin of imported samples; place in a container.

alter table col.sample add column dbuid_origin varchar;

comment on column col.sample.dbuid_origin is
    'Where an imported sample comes from: code of the database, colon, uid there.';

alter table col.storage rename column range to storage_location;

do $collec$ begin perform pg_temp.collec_after('gacl', 'gacl_archive', '1.0.5', '1.0.6'); perform pg_temp.collec_after('col', 'col_archive', '1.0.5', '1.0.6'); end $collec$;

UPDATE "col".alembic_version SET version_num='1.0.6' WHERE "col".alembic_version.version_num = '1.0.5';

create table if not exists "col".migration_history (
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
comment on table "col".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "col".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "col".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "col".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "col".migration_history.client is
    'Account and host where the tool ran';
comment on column "col".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "col".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.0.6', 'applied', 'upgrade-1.0.5-1.0.6.sql', 'b9fee251e5d1867adfecf6387773aab36c40c44bcb35260031b8a9bdde0dec8c', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

create table if not exists "gacl".migration_history (
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
comment on table "gacl".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "gacl".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "gacl".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "gacl".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "gacl".migration_history.client is
    'Account and host where the tool ran';
comment on column "gacl".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "gacl".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.0.6', 'applied', 'upgrade-1.0.5-1.0.6.sql', 'b9fee251e5d1867adfecf6387773aab36c40c44bcb35260031b8a9bdde0dec8c', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

-- Running upgrade 1.0.6 -> 1.0.8

do $collec$ begin perform pg_temp.collec_before('gacl', 'gacl_archive', '1.0.6', '1.0.8'); perform pg_temp.collec_before('col', 'col_archive', '1.0.6', '1.0.8'); end $collec$;

-- legacy_sql/upgrade-1.0.6-1.0.8.sql
-- Upgrade from 1.0.6 to 1.0.8: the database says its version.

create table col.dbversion (
    dbversion_id     serial not null,
    dbversion_number varchar not null,
    dbversion_date   timestamp not null,
    constraint dbversion_pk primary key (dbversion_id)
);

comment on table col.dbversion is
    'Versions that this database went through. The application looks for the row of the version that it needs.';
comment on column col.dbversion.dbversion_date is
    'Date of the release, not of its installation.';

do $collec$ begin perform pg_temp.collec_return_tables('col', 'col_archive', '1.0.6', '1.0.8'); end $collec$; insert into col.dbversion (dbversion_number, dbversion_date)
select '1.0.8', '2017-06-02'
where not exists (select 1 from col.dbversion where dbversion_number = '1.0.8');

do $collec$ begin perform pg_temp.collec_after('gacl', 'gacl_archive', '1.0.6', '1.0.8'); perform pg_temp.collec_after('col', 'col_archive', '1.0.6', '1.0.8'); end $collec$;

UPDATE "col".alembic_version SET version_num='1.0.8' WHERE "col".alembic_version.version_num = '1.0.6';

create table if not exists "col".migration_history (
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
comment on table "col".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "col".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "col".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "col".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "col".migration_history.client is
    'Account and host where the tool ran';
comment on column "col".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "col".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.0.8', 'applied', 'upgrade-1.0.6-1.0.8.sql', 'f35689eb2ddb321ad7aceacb461474e215967da1717b82f021ed00cbe802402c', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

create table if not exists "gacl".migration_history (
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
comment on table "gacl".migration_history is
    'What collec-migrations did to this schema: one row for each version applied, adopted or left';
comment on column "gacl".migration_history.version is
    'Version of the schema after this step; null: nothing is installed any more';
comment on column "gacl".migration_history.kind is
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "gacl".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "gacl".migration_history.client is
    'Account and host where the tool ran';
comment on column "gacl".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "gacl".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('1.0.8', 'applied', 'upgrade-1.0.6-1.0.8.sql', 'f35689eb2ddb321ad7aceacb461474e215967da1717b82f021ed00cbe802402c', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

COMMIT;
