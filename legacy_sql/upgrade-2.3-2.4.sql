-- Upgrade from 2.3 to 2.4: campaigns, requests, uuids, places counted in containers.
--
-- Before PostgreSQL 13 the extension pgcrypto must be there. With PostGIS,
-- upgrade-2.3-2.4-postgis.sql adds what needs it.

alter table gacl.logingestion
    alter column login type varchar,
    alter column password type varchar,
    alter column nom type varchar,
    alter column prenom type varchar,
    alter column datemodif type timestamp,
    alter column is_clientws drop not null,
    add column is_expired boolean default false;

comment on column gacl.logingestion.is_expired is
    'The password has to be changed at the next login.';

create unique index logingestion_login_idx on gacl.logingestion (login);
create index log_commentaire_idx on gacl.log (commentaire);
create index log_ip_idx on gacl.log (ipaddress);
create index log_module_idx on gacl.log (nom_module);

-- The application reads the groups of the rights schema since 2.3.
drop view col.aclgroup;

alter table col.collection_group rename constraint project_group_pk to projet_group_pk;
alter table col.collection_group
    rename constraint aclgroup_projet_group_fk to group_projet_aclgroup_fk;

alter table col.borrower
    add column laboratory_code varchar,
    add column borrower_mail varchar;

comment on column col.borrower.laboratory_code is
    'Code of the laboratory of the borrower.';

create sequence col.regulation_regulation_id_seq minvalue 0 maxvalue 2147483647 start 1;

create table col.regulation (
    regulation_id      integer not null default nextval('col.regulation_regulation_id_seq'),
    regulation_name    varchar not null,
    regulation_comment varchar,
    constraint regulation_pk primary key (regulation_id)
);

comment on table col.regulation is
    'Regulations that a campaign needs an authorization for.';

create sequence col.campaign_campaign_id_seq minvalue 0 maxvalue 2147483647 start 1;

create table col.campaign (
    campaign_id   integer not null default nextval('col.campaign_campaign_id_seq'),
    referent_id   integer,
    campaign_name varchar not null,
    campaign_from timestamp,
    campaign_to   timestamp,
    constraint campaign_pk primary key (campaign_id),
    constraint referent_fk
        foreign key (referent_id) references col.referent (referent_id) match full
        on update cascade on delete set null
);

comment on table col.campaign is
    'Sampling campaigns.';
comment on column col.campaign.referent_id is
    'Person in charge.';

create table col.campaign_regulation (
    campaign_id   integer not null,
    regulation_id integer not null,
    constraint campaign_regulation_pk primary key (campaign_id, regulation_id),
    constraint campaign_fk
        foreign key (campaign_id) references col.campaign (campaign_id) match full
        on update cascade on delete restrict,
    constraint regulation_fk
        foreign key (regulation_id) references col.regulation (regulation_id) match full
        on update cascade on delete restrict
);

comment on table col.campaign_regulation is
    'Authorizations of a campaign under a regulation.';

alter table col.collection
    add column allowed_import_flow boolean default false,
    add column allowed_export_flow boolean default false,
    add column public_collection boolean default false;

comment on column col.collection.allowed_import_flow is
    'Samples may come in from other programs.';
comment on column col.collection.allowed_export_flow is
    'Samples may be sent to other programs.';
comment on column col.collection.public_collection is
    'The collection is shown to everybody.';

alter table col.container_type
    add column nb_slots_max integer default 0,
    add column first_column varchar default 'L';

comment on column col.container_type.nb_slots_max is
    'Number of slots; 0 when they are not counted.';
comment on column col.container_type.first_column is
    'Where column 1 is: L on the left, R on the right.';

alter table col.sample_type add column sample_type_description varchar;

alter table col.sample
    add column campaign_id integer,
    add constraint campaign_fk
        foreign key (campaign_id) references col.campaign (campaign_id) match full
        on update cascade on delete set null;

comment on column col.sample.campaign_id is
    'Campaign in which the sample was collected.';

alter table col.document
    alter column uid drop not null,
    add column campaign_id integer,
    add constraint campaign_fk
        foreign key (campaign_id) references col.campaign (campaign_id) match full
        on update cascade on delete set null;

comment on column col.document.uid is
    'Object of the document; null for one of a campaign.';
comment on column col.document.campaign_id is
    'Campaign that the document belongs to.';

-- A document of a campaign is no photograph of an object.
create or replace view col.last_photo as
select distinct on (uid) document_id, uid
from col.document
where mime_type_id in (4, 5, 6)
  and uid is not null
order by uid, document_creation_date desc, document_import_date desc, document_id desc;

-- One statement: the table is written once.
alter table col.object
    add column change_date timestamp not null default now(),
    -- A value of its own for each row is meant.
    -- squawk-ignore adding-field-with-default
    add column uuid uuid not null default gen_random_uuid(),
    add column trashed boolean default false,
    add column location_accuracy double precision;

comment on column col.object.change_date is
    'When the object was last changed.';
comment on column col.object.uuid is
    'Identifier of the object in any database.';
comment on column col.object.trashed is
    'The object is in the trash.';
comment on column col.object.location_accuracy is
    'Accuracy of the position, in metres.';

create index object_trashed on col.object (trashed) where trashed = true;

create view col.slots_used as
select container_id, count(*) as nb_slots_used
from col.last_movement
where movement_type_id = 1
group by container_id;

comment on view col.slots_used is
    'Number of objects in each container.';

create sequence col.request_request_id_seq;

create table col.request (
    request_id  integer not null default nextval('col.request_request_id_seq'),
    create_date timestamp not null,
    last_exec   timestamp,
    title       varchar not null,
    body        varchar not null,
    login       varchar not null,
    datefields  varchar,
    constraint request_pk primary key (request_id)
);

comment on table col.request is
    'Queries that users run from the application.';
comment on column col.request.last_exec is
    'When the query was last run.';
comment on column col.request.body is
    'The query, as SQL, without its first word SELECT. The application runs it with its own search path.';
comment on column col.request.datefields is
    'Fields that are shown as dates, separated by commas.';

create sequence col.export_model_export_model_id_seq minvalue 0 maxvalue 2147483647 start 1;

create table col.export_model (
    export_model_id   integer not null default nextval('col.export_model_export_model_id_seq'),
    export_model_name varchar not null,
    pattern           json,
    target            varchar,
    constraint export_model_pk primary key (export_model_id)
);

comment on table col.export_model is
    'Structures by which the application exports and imports its own parameters.';
comment on column col.export_model.pattern is
    'Tables, keys and their links, as JSON.';
comment on column col.export_model.target is
    'Application that the export is made for.';

insert into col.request (create_date, title, body, login)
select now(), 'Number of samples by collection', 'collection_name, count(*) as "number of samples"
from sample
join collection using (collection_id)
group by collection_name', 'admin'
where not exists (
    select 1 from col.request where title = 'Number of samples by collection'
);

insert into col.export_model (export_model_name, pattern)
select 'export_model',
       '[{"tableName":"export_model","businessKey":"export_model_name","istable11":false,"children":[],"booleanFields":[],"istablenn":false}]'
where not exists (select 1 from col.export_model where export_model_name = 'export_model');

insert into col.dbversion (dbversion_number, dbversion_date) values ('2.4', '2020-03-01');
