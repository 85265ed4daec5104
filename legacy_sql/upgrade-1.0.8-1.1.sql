-- Upgrade from 1.0.8 to 1.1: metadata in one document, printers, lost passwords.

-- Rights schema --------------------------------------------------------------

create table gacl.passwordlost (
    passwordlost_id serial not null,
    id              integer not null,
    token           varchar not null,
    expiration      timestamp not null,
    usedate         timestamp,
    constraint passwordlost_pk primary key (passwordlost_id),
    constraint logingestion_passwordlost_fk
        foreign key (id) references gacl.logingestion (id)
);

comment on table gacl.passwordlost is
    'Tokens sent to users who lost their password.';
comment on column gacl.passwordlost.id is
    'Account that the token opens.';
comment on column gacl.passwordlost.token is
    'Random text sent by mail.';
comment on column gacl.passwordlost.expiration is
    'The token is refused from this moment on.';
comment on column gacl.passwordlost.usedate is
    'Moment when the token was used; null while it was not.';

-- Data schema: new tables ----------------------------------------------------

create table col.printer (
    printer_id      serial not null,
    printer_name    varchar not null,
    printer_queue   varchar not null,
    printer_server  varchar,
    printer_user    varchar,
    printer_comment varchar,
    constraint printer_pk primary key (printer_id)
);

comment on table col.printer is
    'Label printers that the server can reach.';
comment on column col.printer.printer_name is
    'Name shown to users.';
comment on column col.printer.printer_queue is
    'Queue of the print server.';
comment on column col.printer.printer_server is
    'Print server; null for the local one.';
comment on column col.printer.printer_user is
    'Account used on the print server.';

create table col.metadata (
    metadata_id     serial not null,
    metadata_name   varchar not null,
    metadata_schema json,
    constraint metadata_pk primary key (metadata_id)
);

comment on table col.metadata is
    'Descriptions of the metadata that samples of a type can carry.';
comment on column col.metadata.metadata_schema is
    'Fields of the form, as a JSON document.';

-- Data schema: new columns and keys ------------------------------------------

alter table col.project_group
    rename constraint project_project_group_fk to project_projet_group_fk;
alter table col.project_group
    add constraint aclgroup_projet_group_fk
        foreign key (aclgroup_id) references gacl.aclgroup (aclgroup_id);

alter table col.container_type
    add column columns integer not null default 1,
    add column lines integer not null default 1,
    add column first_line varchar not null default 'T';

comment on column col.container_type.columns is
    'Number of columns of places in the container.';
comment on column col.container_type.lines is
    'Number of lines of places in the container.';
comment on column col.container_type.first_line is
    'Where line 1 is: T at the top, B at the bottom.';

alter table col.label
    add column metadata_id integer,
    add constraint metadata_label_fk
        foreign key (metadata_id) references col.metadata (metadata_id);

comment on column col.label.metadata_id is
    'Metadata that the label can show.';

alter table col.protocol
    add column project_id integer,
    add constraint project_protocol_fk
        foreign key (project_id) references col.project (project_id);

comment on column col.protocol.project_id is
    'Project that the protocol is written for.';

alter table col.operation
    add column operation_version varchar,
    add column last_edit_date timestamp,
    add constraint operation_name_version_unique unique (operation_name, operation_version);

comment on column col.operation.operation_version is
    'Version of the operation.';
comment on column col.operation.last_edit_date is
    'When the operation was last changed.';

alter table col.sample_type
    drop column metadata_set_id,
    drop column metadata_set_id_second,
    add column metadata_id integer,
    add constraint metadata_sample_type_fk
        foreign key (metadata_id) references col.metadata (metadata_id);

comment on column col.sample_type.metadata_id is
    'Metadata that samples of this type carry.';

alter table col.sample add column metadata json;

comment on column col.sample.metadata is
    'Metadata, as a JSON document whose form is described by the type of the sample.';

alter table col.storage
    add column column_number integer not null default 1,
    add column line_number integer not null default 1;

comment on column col.storage.column_number is
    'Column of the place in the container.';
comment on column col.storage.line_number is
    'Line of the place in the container.';

create or replace view col.last_movement as
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
      from col.storage
      order by uid, storage_date desc, storage_id desc) as moved
left join col.container as holder on holder.container_id = moved.container_id;

comment on view col.last_movement is
    'Where each object is: its one last movement. Out of storage, it has no container.';

-- Data schema: tables that go ------------------------------------------------

drop table col.metadata_attribute;
drop table col.metadata_schema;
drop table col.metadata_set;
drop table col.sample_metadata;

insert into col.dbversion (dbversion_number, dbversion_date) values ('1.1', '2017-09-01');
