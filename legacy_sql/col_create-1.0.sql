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
