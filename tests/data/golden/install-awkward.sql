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

create schema if not exists "l'""a"" b:c";

create extension if not exists pg_trgm schema public;

CREATE TABLE "l'""a"" b:c".alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 26.2

-- legacy_sql/gacl_create-26.2.sql
-- Creation of the rights schema (gacl), version 26.2: logins, groups, rights, log.
--
-- For an empty database, before col_create-26.2.sql. By hand:
--   psql -v ON_ERROR_STOP=1 -1 -f gacl_create-26.2.sql -f col_create-26.2.sql DATABASE

-- Tested first: `if not exists` asks for the right to create schemas even when there is one.
do $$
begin
    if not exists (select 1 from pg_namespace where nspname = 'order %s\') then
        create schema "order %s\";
    end if;
end
$$;

-- Tables ---------------------------------------------------------------------

create table "order %s\".aclappli (
    aclappli_id serial not null,
    appli       varchar not null,
    applidetail varchar,
    constraint aclappli_pk primary key (aclappli_id)
);

comment on table "order %s\".aclappli is
    'Applications whose rights are kept here.';
comment on column "order %s\".aclappli.appli is
    'Code by which the application asks for its rights; set in its parameters.';
comment on column "order %s\".aclappli.applidetail is
    'Free description.';

create table "order %s\".aclaco (
    aclaco_id   serial not null,
    aclappli_id integer not null,
    aco         varchar not null,
    constraint aclaco_pk primary key (aclaco_id),
    constraint aclappli_aclaco_fk
        foreign key (aclappli_id) references "order %s\".aclappli (aclappli_id)
);

comment on table "order %s\".aclaco is
    'Rights that an application knows (administration, parameters, projects ...).';
comment on column "order %s\".aclaco.aco is
    'Name of the right, as the application tests it.';

create table "order %s\".aclgroup (
    aclgroup_id        serial not null,
    groupe             varchar not null,
    aclgroup_id_parent integer,
    constraint aclgroup_pk primary key (aclgroup_id),
    constraint aclgroup_aclgroup_fk
        foreign key (aclgroup_id_parent) references "order %s\".aclgroup (aclgroup_id)
);

comment on table "order %s\".aclgroup is
    'Groups of logins. A group also has the rights of the groups below it in the tree.';
comment on column "order %s\".aclgroup.groupe is
    'Name of the group.';
comment on column "order %s\".aclgroup.aclgroup_id_parent is
    'Group that this one derives from.';

create table "order %s\".aclacl (
    aclaco_id   integer not null,
    aclgroup_id integer not null,
    constraint aclacl_pk primary key (aclaco_id, aclgroup_id),
    constraint aclaco_aclacl_fk
        foreign key (aclaco_id) references "order %s\".aclaco (aclaco_id),
    constraint aclgroup_aclacl_fk
        foreign key (aclgroup_id) references "order %s\".aclgroup (aclgroup_id)
);

comment on table "order %s\".aclacl is
    'Rights given to groups.';

create table "order %s\".acllogin (
    acllogin_id serial not null,
    login       varchar not null,
    logindetail varchar not null,
    totp_key    varchar,
    email       varchar,
    constraint acllogin_pk primary key (acllogin_id)
);

create unique index acllogin_login_idx on "order %s\".acllogin (login);

comment on table "order %s\".acllogin is
    'Logins that can belong to groups, whatever authenticates them.';
comment on column "order %s\".acllogin.login is
    'Login as it is typed.';
comment on column "order %s\".acllogin.logindetail is
    'Name shown on screen.';
comment on column "order %s\".acllogin.totp_key is
    'Key of the second factor; null without one.';
comment on column "order %s\".acllogin.email is
    'Address to which the application writes.';

create table "order %s\".acllogingroup (
    acllogin_id integer not null,
    aclgroup_id integer not null,
    constraint acllogingroup_pk primary key (acllogin_id, aclgroup_id),
    constraint aclgroup_acllogingroup_fk
        foreign key (aclgroup_id) references "order %s\".aclgroup (aclgroup_id),
    constraint acllogin_acllogingroup_fk
        foreign key (acllogin_id) references "order %s\".acllogin (acllogin_id)
);

comment on table "order %s\".acllogingroup is
    'Members of groups.';

create table "order %s\".log (
    log_id      serial not null,
    login       varchar not null,
    nom_module  varchar,
    log_date    timestamp not null,
    commentaire varchar,
    ipaddress   varchar,
    constraint log_pk primary key (log_id)
);

create index log_commentaire_idx on "order %s\".log (commentaire);
create index log_date_idx on "order %s\".log (log_date);
create index log_ip_idx on "order %s\".log (ipaddress);
create index log_login_idx on "order %s\".log (login);
create index log_module_idx on "order %s\".log (nom_module);

comment on table "order %s\".log is
    'Actions of users: module called, connection, failure.';
comment on column "order %s\".log.login is
    'Login, or what was typed for one.';
comment on column "order %s\".log.nom_module is
    'Module of the application that was called.';
comment on column "order %s\".log.commentaire is
    'Result, or what the action was about.';
comment on column "order %s\".log.ipaddress is
    'Address of the client.';

-- Shared by two tables and therefore owned by neither.
create sequence "order %s\".seq_logingestion_id;

create table "order %s\".logingestion (
    id          integer not null default nextval('"order %s\".seq_logingestion_id'),
    login       varchar not null,
    password    varchar,
    nom         varchar,
    prenom      varchar,
    mail        varchar(255),
    datemodif   timestamp,
    actif       smallint default 1,
    is_clientws boolean default false,
    tokenws     varchar,
    is_expired  boolean default false,
    nbattempts  smallint default 0,
    lastattempt timestamp,
    locale      varchar,
    constraint pk_logingestion primary key (id)
);

create unique index logingestion_login_idx on "order %s\".logingestion (login);

comment on table "order %s\".logingestion is
    'Local accounts, used when the application checks passwords itself.';
comment on column "order %s\".logingestion.password is
    'Hash of the password. Null: nobody can log in with this account.';
comment on column "order %s\".logingestion.nom is
    'Family name.';
comment on column "order %s\".logingestion.prenom is
    'First name.';
comment on column "order %s\".logingestion.datemodif is
    'When the password was last changed.';
comment on column "order %s\".logingestion.actif is
    '1 for an account in use, 0 for a closed one.';
comment on column "order %s\".logingestion.is_clientws is
    'The account is one of a program.';
comment on column "order %s\".logingestion.tokenws is
    'Token by which that program is known.';
comment on column "order %s\".logingestion.is_expired is
    'The password has to be changed at the next login.';
comment on column "order %s\".logingestion.nbattempts is
    'Failed attempts to log in, since the last successful one.';
comment on column "order %s\".logingestion.lastattempt is
    'When the last attempt was made.';
comment on column "order %s\".logingestion.locale is
    'Language in which the account uses the application.';

create table "order %s\".login_oldpassword (
    login_oldpassword_id serial not null,
    id                   integer not null default nextval('"order %s\".seq_logingestion_id'),
    password             varchar(255),
    constraint login_oldpassword_pk primary key (login_oldpassword_id),
    constraint logingestion_login_oldpassword_fk
        foreign key (id) references "order %s\".logingestion (id)
);

comment on table "order %s\".login_oldpassword is
    'Earlier passwords of local accounts, so that they are not used again.';
comment on column "order %s\".login_oldpassword.id is
    'Account. The default, shared with logingestion, is historical: the application always gives a value.';
comment on column "order %s\".login_oldpassword.password is
    'Stored as in logingestion.';

create table "order %s\".passwordlost (
    passwordlost_id serial not null,
    id              integer not null,
    token           varchar not null,
    expiration      timestamp not null,
    usedate         timestamp,
    constraint passwordlost_pk primary key (passwordlost_id),
    constraint logingestion_passwordlost_fk
        foreign key (id) references "order %s\".logingestion (id)
);

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

-- Rows that an installation starts with --------------------------------------

-- 'col' is the code of the application, whatever the data schema is called.
insert into "order %s\".aclappli (aclappli_id, appli) values
    (1, 'col');
insert into "order %s\".aclaco (aclaco_id, aclappli_id, aco) values
    (1, 1, 'admin'),
    (2, 1, 'param'),
    (3, 1, 'collection'),
    (4, 1, 'manage'),
    (5, 1, 'consult'),
    (6, 1, 'import');
insert into "order %s\".aclgroup (aclgroup_id, groupe, aclgroup_id_parent) values
    (1, 'admin', null),
    (2, 'consult', null),
    (3, 'manage', 2),
    (4, 'collection', 3),
    (5, 'param', 4),
    (6, 'import', 3);
insert into "order %s\".aclacl (aclaco_id, aclgroup_id) values
    (1, 1),
    (2, 5),
    (3, 4),
    (4, 3),
    (5, 2),
    (6, 6);
insert into "order %s\".acllogin (acllogin_id, login, logindetail) values
    (1, 'admin', 'admin');
insert into "order %s\".acllogingroup (acllogin_id, aclgroup_id) values
    (1, 1),
    (1, 5);
-- No password: nobody can log in until one is set. The application also takes the SHA-256 of the
-- password followed by the login, in hexadecimal; from PostgreSQL 11 on:
--   update gacl.logingestion
--   set password = encode(sha256(convert_to('the password' || login, 'UTF8')), 'hex')
--   where login = 'admin';
insert into "order %s\".logingestion (id, login, nom, actif) values
    (1, 'admin', 'Administrator', 1);

-- Sequences: where the rows above end ----------------------------------------

select setval('"order %s\".aclappli_aclappli_id_seq', max(aclappli_id)) from "order %s\".aclappli;
select setval('"order %s\".aclaco_aclaco_id_seq', max(aclaco_id)) from "order %s\".aclaco;
select setval('"order %s\".aclgroup_aclgroup_id_seq', max(aclgroup_id)) from "order %s\".aclgroup;
select setval('"order %s\".acllogin_acllogin_id_seq', max(acllogin_id)) from "order %s\".acllogin;
select setval('"order %s\".seq_logingestion_id', max(id)) from "order %s\".logingestion;

update "order %s\".logingestion set password = '5d4879183b18e7aebd88b519ef615b707284ba6fc8ef9ece99c550e15a4dfdf6' where login = 'admin' and password is null;

do $collec$ begin perform pg_catalog.set_config('search_path', 'pg_catalog' || coalesce((select string_agg(distinct ', ' || quote_ident(n.nspname), '') from pg_catalog.pg_extension x join pg_catalog.pg_namespace n on n.oid = x.extnamespace where x.extname in ('pg_trgm', 'pgcrypto', 'postgis')), '') || ', pg_temp', false); end $collec$;

-- legacy_sql/col_create-26.2.sql
-- Creation of the data schema (col), version 26.2: samples, containers, movements, exports.
--
-- After gacl_create-26.2.sql, whose groups it reads. The extension pg_trgm must be there (before
-- PostgreSQL 13 pgcrypto as well), in a schema of the search path. By hand:
--   psql -v ON_ERROR_STOP=1 -1 -f gacl_create-26.2.sql -f col_create-26.2.sql DATABASE
-- With PostGIS, col_create-26.2-postgis.sql adds what needs it.

-- Tested first: `if not exists` asks for the right to create schemas even when there is one.
do $$
begin
    if not exists (select 1 from pg_namespace where nspname = 'l''"a" b:c') then
        create schema "l'""a"" b:c";
    end if;
end
$$;

-- Tables ---------------------------------------------------------------------

create table "l'""a"" b:c".dbversion (
    dbversion_id     serial not null,
    dbversion_number varchar not null,
    dbversion_date   timestamp not null,
    constraint dbversion_pk primary key (dbversion_id)
);

comment on table "l'""a"" b:c".dbversion is
    'Versions that this database went through. The application looks for the row of the version that it needs.';
comment on column "l'""a"" b:c".dbversion.dbversion_date is
    'Date of the release, not of its installation.';

create sequence "l'""a"" b:c".dbparam_dbparam_id_seq;

create table "l'""a"" b:c".dbparam (
    dbparam_id             integer not null default nextval('"l''""a"" b:c".dbparam_dbparam_id_seq'),
    dbparam_name           varchar not null,
    dbparam_value          varchar,
    dbparam_description    varchar,
    dbparam_description_en varchar,
    constraint dbparam_pk primary key (dbparam_id)
);

create unique index dbparamname_idx on "l'""a"" b:c".dbparam (dbparam_name);

comment on table "l'""a"" b:c".dbparam is
    'Parameters of the application that are kept in the database.';
comment on column "l'""a"" b:c".dbparam.dbparam_name is
    'Name by which the application reads the parameter.';
comment on column "l'""a"" b:c".dbparam.dbparam_description is
    'What the parameter does, in French.';
comment on column "l'""a"" b:c".dbparam.dbparam_description_en is
    'What the parameter does, in English.';

create table "l'""a"" b:c".country (
    country_id    integer not null,
    country_name  varchar not null,
    country_code2 varchar(2) not null,
    country_code3 varchar(3),
    constraint country_pk primary key (country_id)
);

create index country_code2_idx on "l'""a"" b:c".country (country_code2);

comment on table "l'""a"" b:c".country is
    'Countries, by ISO 3166. The ids are fixed.';
comment on column "l'""a"" b:c".country.country_code2 is
    'Code of two letters (ISO 3166-1 alpha-2).';
comment on column "l'""a"" b:c".country.country_code3 is
    'Code of three letters (ISO 3166-1 alpha-3).';

create table "l'""a"" b:c".license (
    license_id   serial not null,
    license_name varchar not null,
    license_url  varchar,
    constraint license_pk primary key (license_id)
);

create unique index license_name_idx on "l'""a"" b:c".license (license_name);

comment on table "l'""a"" b:c".license is
    'Licenses under which the data of a collection are published.';

create sequence "l'""a"" b:c".referent_referent_id_seq;

create table "l'""a"" b:c".referent (
    referent_id           integer not null default nextval('"l''""a"" b:c".referent_referent_id_seq'),
    referent_name         varchar not null,
    referent_email        varchar,
    address_name          varchar,
    address_line2         varchar,
    address_line3         varchar,
    address_city          varchar,
    address_country       varchar,
    referent_phone        varchar,
    referent_firstname    varchar,
    academical_directory  varchar,
    academical_link       varchar,
    referent_organization varchar,
    constraint referent_pk primary key (referent_id)
);

alter sequence "l'""a"" b:c".referent_referent_id_seq owned by "l'""a"" b:c".referent.referent_id;

create unique index referent_referent_name_firstname_idx
    on "l'""a"" b:c".referent (referent_name, referent_firstname);
create unique index referent_referent_name_idx
    on "l'""a"" b:c".referent (referent_name) with (fillfactor = 90);

comment on table "l'""a"" b:c".referent is
    'Persons to ask about an object, a collection or a campaign.';
comment on column "l'""a"" b:c".referent.academical_directory is
    'Directory in which the person is known, for instance ORCID.';
comment on column "l'""a"" b:c".referent.academical_link is
    'Address of the person in that directory.';

create table "l'""a"" b:c".barcode (
    barcode_id   serial not null,
    barcode_name varchar not null,
    barcode_code varchar not null default 'QR',
    constraint barcode_pk primary key (barcode_id)
);

comment on table "l'""a"" b:c".barcode is
    'Kinds of optical codes that a label can carry.';
comment on column "l'""a"" b:c".barcode.barcode_code is
    'Code by which the application chooses the generator.';

create table "l'""a"" b:c".metadata (
    metadata_id     serial not null,
    metadata_name   varchar not null,
    metadata_schema json,
    constraint metadata_pk primary key (metadata_id)
);

comment on table "l'""a"" b:c".metadata is
    'Descriptions of the metadata that samples of a type can carry.';
comment on column "l'""a"" b:c".metadata.metadata_schema is
    'Fields of the form, as a JSON document.';

create table "l'""a"" b:c".printer (
    printer_id      serial not null,
    printer_name    varchar not null,
    printer_queue   varchar not null,
    printer_server  varchar,
    printer_user    varchar,
    printer_comment varchar,
    constraint printer_pk primary key (printer_id)
);

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

create table "l'""a"" b:c".label (
    label_id    serial not null,
    label_name  varchar not null,
    label_xsl   varchar not null,
    metadata_id integer,
    logo        bytea,
    constraint label_pk primary key (label_id),
    constraint metadata_label_fk
        foreign key (metadata_id) references "l'""a"" b:c".metadata (metadata_id)
);

comment on table "l'""a"" b:c".label is
    'Models of labels: an XSL-FO stylesheet that turns the XML of the chosen objects into pages.';
comment on column "l'""a"" b:c".label.label_xsl is
    'XSL-FO stylesheet. Its input is <objects><object>...</object></objects>; the QR code of an object is the image UID.png.';
comment on column "l'""a"" b:c".label.metadata_id is
    'Metadata that the label can show.';
comment on column "l'""a"" b:c".label.logo is
    'Picture for the label: the image LABELID-logo.png.';

create table "l'""a"" b:c".label_optical (
    label_optical_id serial not null,
    label_id         integer not null,
    barcode_id       integer not null,
    content_type     smallint not null default 1,
    radical          varchar,
    optical_content  varchar not null,
    constraint label_optical_pk primary key (label_optical_id),
    constraint barcode_fk
        foreign key (barcode_id) references "l'""a"" b:c".barcode (barcode_id) match full
        on update cascade on delete restrict,
    constraint label_fk
        foreign key (label_id) references "l'""a"" b:c".label (label_id) match full
        on update cascade on delete restrict
);

comment on table "l'""a"" b:c".label_optical is
    'Optical codes of a label: the first one is the image UID.png, the second one UID-2.png.';
comment on column "l'""a"" b:c".label_optical.content_type is
    '1: a JSON object of the fields in optical_content; 2: the one identifier in optical_content.';
comment on column "l'""a"" b:c".label_optical.radical is
    'Text before the identifier, for example the base of a URI.';
comment on column "l'""a"" b:c".label_optical.optical_content is
    'Fields in the code, separated by commas, or the name of the identifier.';

create table "l'""a"" b:c".collection (
    collection_id            serial not null,
    collection_name          varchar not null,
    referent_id              integer,
    allowed_import_flow      boolean default false,
    allowed_export_flow      boolean default false,
    public_collection        boolean default false,
    collection_keywords      varchar,
    collection_displayname   varchar,
    license_id               integer,
    no_localization          boolean not null default false,
    external_storage_enabled boolean not null default false,
    external_storage_root    varchar,
    sample_name_unique       boolean not null default false,
    notification_enabled     boolean default false,
    notification_mails       varchar,
    expiration_delay         smallint default 0,
    event_due_delay          smallint default 0,
    collection_description   varchar,
    constraint project_pk primary key (collection_id),
    constraint license_fk
        foreign key (license_id) references "l'""a"" b:c".license (license_id) match full
        on update cascade on delete set null deferrable,
    constraint referent_collection_fk
        foreign key (referent_id) references "l'""a"" b:c".referent (referent_id)
);

alter sequence "l'""a"" b:c".collection_collection_id_seq rename to project_project_id_seq;

create unique index collection_name_idx on "l'""a"" b:c".collection (collection_name);

comment on table "l'""a"" b:c".collection is
    'Collections: samples belong to one, and rights on samples go by collection.';
comment on column "l'""a"" b:c".collection.referent_id is
    'Person in charge.';
comment on column "l'""a"" b:c".collection.allowed_import_flow is
    'Samples may come in from other programs.';
comment on column "l'""a"" b:c".collection.allowed_export_flow is
    'Samples may be sent to other programs.';
comment on column "l'""a"" b:c".collection.public_collection is
    'The collection is shown to everybody.';
comment on column "l'""a"" b:c".collection.collection_keywords is
    'Keywords, separated by commas.';
comment on column "l'""a"" b:c".collection.collection_displayname is
    'Name shown to the public.';
comment on column "l'""a"" b:c".collection.no_localization is
    'Samples of the collection have no geographical position.';
comment on column "l'""a"" b:c".collection.external_storage_enabled is
    'Documents may be kept outside the database.';
comment on column "l'""a"" b:c".collection.external_storage_root is
    'Folder of the documents kept outside the database.';
comment on column "l'""a"" b:c".collection.sample_name_unique is
    'Two samples of the collection must not have the same name.';
comment on column "l'""a"" b:c".collection.notification_enabled is
    'Mails are sent about expirations and due events.';
comment on column "l'""a"" b:c".collection.notification_mails is
    'Addresses that receive the mails, separated by commas.';
comment on column "l'""a"" b:c".collection.expiration_delay is
    'Days before its expiration from which a sample is reported.';
comment on column "l'""a"" b:c".collection.event_due_delay is
    'Days before its due date from which an event is reported.';

create table "l'""a"" b:c".collection_group (
    collection_id integer not null,
    aclgroup_id   integer not null,
    constraint projet_group_pk primary key (collection_id, aclgroup_id),
    constraint group_projet_aclgroup_fk
        foreign key (aclgroup_id) references "order %s\".aclgroup (aclgroup_id),
    constraint project_projet_group_fk
        foreign key (collection_id) references "l'""a"" b:c".collection (collection_id)
);

comment on table "l'""a"" b:c".collection_group is
    'Groups of users who may work on the samples of a collection.';
comment on column "l'""a"" b:c".collection_group.aclgroup_id is
    'Group of the rights schema.';

create sequence "l'""a"" b:c".regulation_regulation_id_seq minvalue 0 maxvalue 2147483647 start 1;

create table "l'""a"" b:c".regulation (
    regulation_id      integer not null default nextval('"l''""a"" b:c".regulation_regulation_id_seq'),
    regulation_name    varchar not null,
    regulation_comment varchar,
    constraint regulation_pk primary key (regulation_id)
);

create unique index regulation_name_idx on "l'""a"" b:c".regulation (regulation_name);

comment on table "l'""a"" b:c".regulation is
    'Regulations that a campaign needs an authorization for.';

create sequence "l'""a"" b:c".campaign_campaign_id_seq minvalue 0 maxvalue 2147483647 start 1;

create table "l'""a"" b:c".campaign (
    campaign_id          integer not null default nextval('"l''""a"" b:c".campaign_campaign_id_seq'),
    referent_id          integer,
    campaign_name        varchar not null,
    campaign_from        timestamp,
    campaign_to          timestamp,
    uuid                 uuid not null default gen_random_uuid(),
    campaign_description varchar,
    constraint campaign_pk primary key (campaign_id),
    constraint referent_fk
        foreign key (referent_id) references "l'""a"" b:c".referent (referent_id) match full
        on update cascade on delete set null
);

create unique index campaign_name_idx on "l'""a"" b:c".campaign (campaign_name);

comment on table "l'""a"" b:c".campaign is
    'Sampling campaigns.';
comment on column "l'""a"" b:c".campaign.referent_id is
    'Person in charge.';
comment on column "l'""a"" b:c".campaign.campaign_from is
    'First day of the campaign.';
comment on column "l'""a"" b:c".campaign.campaign_to is
    'Last day of the campaign.';
comment on column "l'""a"" b:c".campaign.uuid is
    'Identifier of the campaign in any database.';

create table "l'""a"" b:c".campaign_group (
    campaign_id integer not null,
    aclgroup_id integer not null,
    constraint campaign_group_pk primary key (campaign_id, aclgroup_id),
    constraint aclgroup_fk
        foreign key (aclgroup_id) references "order %s\".aclgroup (aclgroup_id) match full
        on update cascade on delete cascade,
    constraint campaign_fk
        foreign key (campaign_id) references "l'""a"" b:c".campaign (campaign_id) match full
        on update cascade on delete cascade
);

comment on table "l'""a"" b:c".campaign_group is
    'Groups whose members may see and change the samples of a campaign.';

create table "l'""a"" b:c".campaign_regulation (
    campaign_id            integer not null,
    regulation_id          integer not null,
    campaign_regulation_id serial not null,
    authorization_number   varchar,
    authorization_date     timestamp,
    constraint campaign_regulation_pk primary key (campaign_regulation_id),
    constraint campaign_fk
        foreign key (campaign_id) references "l'""a"" b:c".campaign (campaign_id) match full
        on update cascade on delete restrict,
    constraint regulation_fk
        foreign key (regulation_id) references "l'""a"" b:c".regulation (regulation_id) match full
        on update cascade on delete restrict
);

create index authorization_number_idx
    on "l'""a"" b:c".campaign_regulation using gin (authorization_number gin_trgm_ops);
create index campaign_id_idx on "l'""a"" b:c".campaign_regulation (campaign_id);

comment on table "l'""a"" b:c".campaign_regulation is
    'Authorizations of a campaign under a regulation.';

create table "l'""a"" b:c".protocol (
    protocol_id          serial not null,
    protocol_name        varchar not null,
    protocol_file        bytea,
    protocol_year        smallint,
    protocol_version     varchar not null default 'v1.0',
    collection_id        integer,
    authorization_number varchar,
    authorization_date   timestamp,
    constraint protocol_pk primary key (protocol_id),
    constraint project_protocol_fk
        foreign key (collection_id) references "l'""a"" b:c".collection (collection_id)
);

comment on table "l'""a"" b:c".protocol is
    'Protocols that samples are collected under.';
comment on column "l'""a"" b:c".protocol.protocol_file is
    'Description of the protocol, a PDF file.';
comment on column "l'""a"" b:c".protocol.collection_id is
    'Collection that the protocol is written for.';
comment on column "l'""a"" b:c".protocol.authorization_number is
    'Number of the authorization that the protocol needs.';
comment on column "l'""a"" b:c".protocol.authorization_date is
    'Date of that authorization.';

create table "l'""a"" b:c".operation (
    operation_id      serial not null,
    protocol_id       integer not null,
    operation_name    varchar not null,
    operation_order   integer,
    operation_version varchar,
    last_edit_date    timestamp,
    operation_code    varchar,
    constraint operation_pk primary key (operation_id),
    constraint operation_code_unique unique (operation_code),
    constraint operation_name_version_unique unique (operation_name, operation_version),
    constraint protocol_operation_fk
        foreign key (protocol_id) references "l'""a"" b:c".protocol (protocol_id)
);

comment on table "l'""a"" b:c".operation is
    'Operations of a protocol: the steps at which samples are made.';
comment on column "l'""a"" b:c".operation.operation_order is
    'Rank in the protocol.';
comment on column "l'""a"" b:c".operation.operation_version is
    'Version of the operation.';
comment on column "l'""a"" b:c".operation.last_edit_date is
    'When the operation was last changed.';
comment on column "l'""a"" b:c".operation.operation_code is
    'Code of the operation, unique.';

create table "l'""a"" b:c".multiple_type (
    multiple_type_id   serial not null,
    multiple_type_name varchar not null,
    constraint multiple_type_pk primary key (multiple_type_id)
);

create unique index multiple_type_name_idx on "l'""a"" b:c".multiple_type (multiple_type_name);

comment on table "l'""a"" b:c".multiple_type is
    'What the quantity in a sample that can be divided is counted in.';

create table "l'""a"" b:c".storage_condition (
    storage_condition_id   serial not null,
    storage_condition_name varchar not null,
    constraint storage_condition_pk primary key (storage_condition_id)
);

create unique index storage_condition_name_idx on "l'""a"" b:c".storage_condition (storage_condition_name);

comment on table "l'""a"" b:c".storage_condition is
    'Conditions of storage, such as a temperature.';

create table "l'""a"" b:c".risk (
    risk_id   serial not null,
    risk_name varchar not null,
    constraint risk_pk primary key (risk_id)
);

comment on table "l'""a"" b:c".risk is
    'Risks of what is stored, by CLP class for example.';

create table "l'""a"" b:c".product (
    product_id   serial not null,
    product_name varchar not null,
    constraint product_pk primary key (product_id)
);

comment on table "l'""a"" b:c".product is
    'Products that samples are kept in.';

create table "l'""a"" b:c".container_family (
    container_family_id   serial not null,
    container_family_name varchar not null,
    constraint container_family_pk primary key (container_family_id)
);

create unique index container_family_name_idx on "l'""a"" b:c".container_family (container_family_name);

comment on table "l'""a"" b:c".container_family is
    'Families of containers.';

create table "l'""a"" b:c".container_type (
    container_type_id          serial not null,
    container_type_name        varchar not null,
    container_family_id        integer not null,
    storage_condition_id       integer,
    label_id                   integer,
    container_type_description varchar,
    columns                    integer not null default 1,
    lines                      integer not null default 1,
    first_line                 varchar not null default 'T',
    nb_slots_max               integer default 0,
    first_column               varchar default 'L',
    line_in_char               boolean not null default false,
    column_in_char             boolean not null default false,
    nbobject_by_slot           integer default 0,
    risk_id                    integer,
    product_id                 integer,
    constraint container_type_pk primary key (container_type_id),
    constraint container_family_container_type_fk
        foreign key (container_family_id) references "l'""a"" b:c".container_family (container_family_id),
    constraint label_container_type_fk
        foreign key (label_id) references "l'""a"" b:c".label (label_id),
    constraint product_fk
        foreign key (product_id) references "l'""a"" b:c".product (product_id) match full
        on update cascade on delete restrict,
    constraint risk_fk
        foreign key (risk_id) references "l'""a"" b:c".risk (risk_id) match full
        on update cascade on delete restrict,
    constraint storage_condition_container_type_fk
        foreign key (storage_condition_id) references "l'""a"" b:c".storage_condition (storage_condition_id)
);

comment on table "l'""a"" b:c".container_type is
    'Types of containers.';
comment on column "l'""a"" b:c".container_type.label_id is
    'Label of the objects of this type.';
comment on column "l'""a"" b:c".container_type.columns is
    'Number of columns of places in the container.';
comment on column "l'""a"" b:c".container_type.lines is
    'Number of lines of places in the container.';
comment on column "l'""a"" b:c".container_type.first_line is
    'Where line 1 is: T at the top, B at the bottom.';
comment on column "l'""a"" b:c".container_type.nb_slots_max is
    'Number of slots; 0 when they are not counted.';
comment on column "l'""a"" b:c".container_type.first_column is
    'Where column 1 is: L on the left, R on the right.';
comment on column "l'""a"" b:c".container_type.line_in_char is
    'Lines are shown as letters.';
comment on column "l'""a"" b:c".container_type.column_in_char is
    'Columns are shown as letters.';
comment on column "l'""a"" b:c".container_type.nbobject_by_slot is
    'Number of objects that a slot holds at most; 0 for no limit.';
comment on column "l'""a"" b:c".container_type.risk_id is
    'Risk of what is in the container.';
comment on column "l'""a"" b:c".container_type.product_id is
    'Product that the samples are kept in.';

create table "l'""a"" b:c".sample_type (
    sample_type_id          serial not null,
    sample_type_name        varchar not null,
    container_type_id       integer,
    multiple_type_id        integer,
    multiple_unit           varchar,
    metadata_id             integer,
    identifier_generator_js varchar,
    sample_type_description varchar,
    sample_type_code        varchar,
    risk_id                 integer,
    product_id              integer,
    constraint sample_type_pk primary key (sample_type_id),
    constraint container_type_sample_type_fk
        foreign key (container_type_id) references "l'""a"" b:c".container_type (container_type_id),
    constraint metadata_sample_type_fk
        foreign key (metadata_id) references "l'""a"" b:c".metadata (metadata_id),
    constraint multiple_type_sample_type_fk
        foreign key (multiple_type_id) references "l'""a"" b:c".multiple_type (multiple_type_id),
    constraint product_fk
        foreign key (product_id) references "l'""a"" b:c".product (product_id) match full
        on update cascade on delete restrict,
    constraint risk_fk
        foreign key (risk_id) references "l'""a"" b:c".risk (risk_id) match full
        on update cascade on delete restrict
);

create unique index sample_type_name_idx on "l'""a"" b:c".sample_type (sample_type_name);

comment on table "l'""a"" b:c".sample_type is
    'Types of samples.';
comment on column "l'""a"" b:c".sample_type.container_type_id is
    'Container that the sample always comes in; null when it varies.';
comment on column "l'""a"" b:c".sample_type.multiple_type_id is
    'Null when the sample cannot be divided.';
comment on column "l'""a"" b:c".sample_type.multiple_unit is
    'Unit of the quantity.';
comment on column "l'""a"" b:c".sample_type.metadata_id is
    'Metadata that samples of this type carry.';
comment on column "l'""a"" b:c".sample_type.identifier_generator_js is
    'JavaScript that makes the identifier of a new sample of this type.';
comment on column "l'""a"" b:c".sample_type.sample_type_code is
    'Code of the type, for generated identifiers.';
comment on column "l'""a"" b:c".sample_type.risk_id is
    'Risk of the samples.';
comment on column "l'""a"" b:c".sample_type.product_id is
    'Product that the samples are kept in.';

create table "l'""a"" b:c".collection_sampletype (
    collection_id  integer not null,
    sample_type_id integer not null,
    constraint collection_sampletype_pk primary key (collection_id, sample_type_id),
    constraint collection_sampletype_collection_fk
        foreign key (collection_id) references "l'""a"" b:c".collection (collection_id),
    constraint collection_sampletype_sample_type_fk
        foreign key (sample_type_id) references "l'""a"" b:c".sample_type (sample_type_id)
        on update cascade
);

comment on table "l'""a"" b:c".collection_sampletype is
    'Types of samples that a collection offers.';

create table "l'""a"" b:c".object_status (
    object_status_id   serial not null,
    object_status_name varchar not null,
    constraint object_status_pk primary key (object_status_id)
);

create unique index object_status_name_idx on "l'""a"" b:c".object_status (object_status_name);

comment on table "l'""a"" b:c".object_status is
    'States of an object.';

create table "l'""a"" b:c".object (
    uid               serial not null,
    identifier        varchar,
    object_status_id  integer,
    wgs84_x           double precision,
    wgs84_y           double precision,
    referent_id       integer,
    change_date       timestamp not null default now(),
    uuid              uuid not null default gen_random_uuid(),
    trashed           boolean default false,
    location_accuracy double precision,
    object_comment    varchar,
    last_movement_id  integer,
    object_login      varchar,
    constraint object_pk primary key (uid),
    constraint object_status_object_fk
        foreign key (object_status_id) references "l'""a"" b:c".object_status (object_status_id),
    constraint referent_object_fk
        foreign key (referent_id) references "l'""a"" b:c".referent (referent_id)
);

create index object_change_date_idx on "l'""a"" b:c".object (change_date);
create index object_identifier_idx on "l'""a"" b:c".object using gist (lower(identifier) gist_trgm_ops);
create index object_trashed on "l'""a"" b:c".object (trashed) where trashed = true;
create index object_uuid_idx on "l'""a"" b:c".object (uuid);

comment on table "l'""a"" b:c".object is
    'What carries a label: every sample and every container is one object.';
comment on column "l'""a"" b:c".object.uid is
    'Number printed on the label, unique over samples and containers.';
comment on column "l'""a"" b:c".object.identifier is
    'Name given by the laboratory.';
comment on column "l'""a"" b:c".object.wgs84_x is
    'Longitude, in degrees (WGS 84).';
comment on column "l'""a"" b:c".object.wgs84_y is
    'Latitude, in degrees (WGS 84).';
comment on column "l'""a"" b:c".object.referent_id is
    'Person in charge; null for the one of the collection.';
comment on column "l'""a"" b:c".object.change_date is
    'When the object was last changed.';
comment on column "l'""a"" b:c".object.uuid is
    'Identifier of the object in any database.';
comment on column "l'""a"" b:c".object.trashed is
    'The object is in the trash.';
comment on column "l'""a"" b:c".object.location_accuracy is
    'Accuracy of the position, in metres.';
comment on column "l'""a"" b:c".object.object_comment is
    'Remarks on the object.';
comment on column "l'""a"" b:c".object.last_movement_id is
    'Newest movement of the object; the application sets it with each movement.';
comment on column "l'""a"" b:c".object.object_login is
    'Account that made the object.';

create table "l'""a"" b:c".identifier_type (
    identifier_type_id   serial not null,
    identifier_type_name varchar not null,
    identifier_type_code varchar,
    used_for_search      boolean not null default false,
    constraint identifier_type_pk primary key (identifier_type_id)
);

create unique index identifier_type_code_idx on "l'""a"" b:c".identifier_type (identifier_type_code);

comment on table "l'""a"" b:c".identifier_type is
    'Kinds of further identifiers of an object.';
comment on column "l'""a"" b:c".identifier_type.identifier_type_code is
    'Code shown before the value.';
comment on column "l'""a"" b:c".identifier_type.used_for_search is
    'Objects are looked for by identifiers of this type.';

create table "l'""a"" b:c".object_identifier (
    object_identifier_id    serial not null,
    uid                     integer not null,
    identifier_type_id      integer not null,
    object_identifier_value varchar not null,
    constraint object_identifier_pk primary key (object_identifier_id),
    constraint identifier_type_object_identifier_fk
        foreign key (identifier_type_id) references "l'""a"" b:c".identifier_type (identifier_type_id),
    constraint object_object_identifier_fk
        foreign key (uid) references "l'""a"" b:c".object (uid)
);

create index object_identifier_uid_idx on "l'""a"" b:c".object_identifier (uid);
create index object_identifier_value_idx
    on "l'""a"" b:c".object_identifier using gin (object_identifier_value gin_trgm_ops);

comment on table "l'""a"" b:c".object_identifier is
    'Further identifiers of objects.';

create table "l'""a"" b:c".container (
    container_id      serial not null,
    uid               integer not null,
    container_type_id integer not null,
    collection_id     integer,
    constraint container_pk primary key (container_id),
    constraint collection_fk
        foreign key (collection_id) references "l'""a"" b:c".collection (collection_id) match full
        on update cascade on delete set null,
    constraint container_type_container_fk
        foreign key (container_type_id) references "l'""a"" b:c".container_type (container_type_id),
    constraint object_container_fk
        foreign key (uid) references "l'""a"" b:c".object (uid)
);

create index container_collection_id_idx on "l'""a"" b:c".container (collection_id);
create index container_uid_idx on "l'""a"" b:c".container (uid);

comment on table "l'""a"" b:c".container is
    'Containers: any place that holds other objects, from the site to the box.';
comment on column "l'""a"" b:c".container.uid is
    'The container as an object.';
comment on column "l'""a"" b:c".container.collection_id is
    'Collection that the container is reserved for.';

create table "l'""a"" b:c".sampling_place (
    sampling_place_id   serial not null,
    sampling_place_name varchar not null,
    collection_id       integer,
    sampling_place_code varchar,
    sampling_place_x    double precision,
    sampling_place_y    double precision,
    country_id          integer,
    constraint sampling_place_pk primary key (sampling_place_id),
    constraint collection_sampling_place_fk
        foreign key (collection_id) references "l'""a"" b:c".collection (collection_id),
    constraint country_fk
        foreign key (country_id) references "l'""a"" b:c".country (country_id) match full
        on update cascade on delete set null deferrable
);

comment on table "l'""a"" b:c".sampling_place is
    'Places where samples are collected.';
comment on column "l'""a"" b:c".sampling_place.collection_id is
    'Collection that uses the place; null for all.';
comment on column "l'""a"" b:c".sampling_place.sampling_place_x is
    'Longitude, in degrees (WGS 84).';
comment on column "l'""a"" b:c".sampling_place.sampling_place_y is
    'Latitude, in degrees (WGS 84).';

create table "l'""a"" b:c".sample (
    sample_id            serial not null,
    uid                  integer not null,
    collection_id        integer not null,
    sample_type_id       integer not null,
    sample_creation_date timestamp not null,
    sampling_date        timestamp,
    parent_sample_id     integer,
    multiple_value       double precision,
    sampling_place_id    integer,
    dbuid_origin         varchar,
    metadata             json,
    expiration_date      timestamp,
    campaign_id          integer,
    country_id           integer,
    country_origin_id    integer,
    history              json,
    operation_id         integer,
    constraint sample_pk primary key (sample_id),
    constraint campaign_fk
        foreign key (campaign_id) references "l'""a"" b:c".campaign (campaign_id) match full
        on update cascade on delete set null,
    constraint country_fk
        foreign key (country_id) references "l'""a"" b:c".country (country_id) match full
        on update cascade on delete set null deferrable,
    constraint country_fk1
        foreign key (country_origin_id) references "l'""a"" b:c".country (country_id) match full
        on update cascade on delete set null deferrable,
    constraint object_sample_fk
        foreign key (uid) references "l'""a"" b:c".object (uid),
    constraint operation_fk
        foreign key (operation_id) references "l'""a"" b:c".operation (operation_id) match full
        on update cascade on delete set null,
    constraint project_sample_fk
        foreign key (collection_id) references "l'""a"" b:c".collection (collection_id),
    constraint sample_sample_fk
        foreign key (parent_sample_id) references "l'""a"" b:c".sample (sample_id),
    constraint sample_type_sample_fk
        foreign key (sample_type_id) references "l'""a"" b:c".sample_type (sample_type_id),
    constraint sampling_place_sample_fk
        foreign key (sampling_place_id) references "l'""a"" b:c".sampling_place (sampling_place_id)
);

create index country_id_idx on "l'""a"" b:c".sample (country_id);
create index sample_campaign_id_idx on "l'""a"" b:c".sample (campaign_id);
create index sample_dbuid_origin_idx on "l'""a"" b:c".sample using gin (dbuid_origin gin_trgm_ops);
create index sample_expiration_date_idx on "l'""a"" b:c".sample (expiration_date);
create index sample_operation_id_idx on "l'""a"" b:c".sample (operation_id);
create index sample_sample_creation_date_idx on "l'""a"" b:c".sample (sample_creation_date);
create index sample_sampling_date_idx on "l'""a"" b:c".sample (sampling_date);
create index sample_uid_idx on "l'""a"" b:c".sample (uid);

comment on table "l'""a"" b:c".sample is
    'Samples.';
comment on column "l'""a"" b:c".sample.uid is
    'The sample as an object.';
comment on column "l'""a"" b:c".sample.sample_creation_date is
    'When the sample was entered.';
comment on column "l'""a"" b:c".sample.sampling_date is
    'When the sample was collected.';
comment on column "l'""a"" b:c".sample.parent_sample_id is
    'Sample that this one was taken from.';
comment on column "l'""a"" b:c".sample.multiple_value is
    'Quantity at the start, for a sample that can be divided.';
comment on column "l'""a"" b:c".sample.dbuid_origin is
    'Where an imported sample comes from: code of the database, colon, uid there.';
comment on column "l'""a"" b:c".sample.metadata is
    'Metadata, as a JSON document whose form is described by the type of the sample.';
comment on column "l'""a"" b:c".sample.expiration_date is
    'Until when the sample can be used.';
comment on column "l'""a"" b:c".sample.campaign_id is
    'Campaign in which the sample was collected.';
comment on column "l'""a"" b:c".sample.country_id is
    'Country where the sample was collected.';
comment on column "l'""a"" b:c".sample.country_origin_id is
    'Country that the sample comes from.';
comment on column "l'""a"" b:c".sample.history is
    'What happened to the sample before it came here.';
comment on column "l'""a"" b:c".sample.operation_id is
    'Operation of a protocol that the sample comes from.';

create table "l'""a"" b:c".samplehisto (
    samplehisto_id    serial not null,
    samplehisto_login varchar,
    samplehisto_date  timestamp not null default now(),
    oldvalues         json,
    sample_id         integer,
    constraint samplehisto_pk primary key (samplehisto_id),
    constraint sample_fk
        foreign key (sample_id) references "l'""a"" b:c".sample (sample_id) match full
        on update cascade on delete set null
);

create index sample_id_idx on "l'""a"" b:c".samplehisto (sample_id);

comment on table "l'""a"" b:c".samplehisto is
    'Changes of samples.';
comment on column "l'""a"" b:c".samplehisto.oldvalues is
    'Values that the change replaced.';

create table "l'""a"" b:c".samplesearch (
    samplesearch_id    serial not null,
    samplesearch_name  varchar not null,
    samplesearch_data  json,
    samplesearch_login varchar,
    collection_id      integer,
    constraint collection_fk
        foreign key (collection_id) references "l'""a"" b:c".collection (collection_id) match full
        on update cascade on delete set null deferrable
);

comment on table "l'""a"" b:c".samplesearch is
    'Searches of samples that users keep.';
comment on column "l'""a"" b:c".samplesearch.samplesearch_data is
    'Criteria of the search, as JSON.';
comment on column "l'""a"" b:c".samplesearch.samplesearch_login is
    'Who keeps the search.';
comment on column "l'""a"" b:c".samplesearch.collection_id is
    'Collection whose members share the search; null for a private one.';

create table "l'""a"" b:c".movement_type (
    movement_type_id   serial not null,
    movement_type_name varchar not null,
    constraint movement_type_pk primary key (movement_type_id)
);

comment on table "l'""a"" b:c".movement_type is
    'Kinds of movements: 1 into a container, 2 out of it.';

create table "l'""a"" b:c".movement_reason (
    movement_reason_id   serial not null,
    movement_reason_name varchar not null,
    constraint storage_reason_pk primary key (movement_reason_id)
);

alter sequence "l'""a"" b:c".movement_reason_movement_reason_id_seq rename to storage_reason_storage_reason_id_seq;

comment on table "l'""a"" b:c".movement_reason is
    'Reasons for taking an object out.';

create table "l'""a"" b:c".movement (
    movement_id        serial not null,
    uid                integer not null,
    container_id       integer,
    movement_type_id   integer not null,
    movement_reason_id integer,
    movement_date      timestamp not null,
    storage_location   varchar,
    login              varchar not null,
    movement_comment   varchar,
    column_number      integer not null default 1,
    line_number        integer not null default 1,
    constraint storage_pk primary key (movement_id),
    constraint container_storage_fk
        foreign key (container_id) references "l'""a"" b:c".container (container_id),
    constraint movement_type_storage_fk
        foreign key (movement_type_id) references "l'""a"" b:c".movement_type (movement_type_id),
    constraint object_storage_fk
        foreign key (uid) references "l'""a"" b:c".object (uid),
    constraint storage_reason_storage_fk
        foreign key (movement_reason_id) references "l'""a"" b:c".movement_reason (movement_reason_id)
);

alter sequence "l'""a"" b:c".movement_movement_id_seq rename to storage_storage_id_seq;

create index movement_container_id_idx on "l'""a"" b:c".movement (container_id);
create index movement_login_idx on "l'""a"" b:c".movement (login);
create index movement_movement_date_desc_idx on "l'""a"" b:c".movement (movement_date desc);
create index movement_uid_idx on "l'""a"" b:c".movement (uid);

comment on table "l'""a"" b:c".movement is
    'Movements of objects: into a container, or out of storage.';
comment on column "l'""a"" b:c".movement.uid is
    'Object that moved.';
comment on column "l'""a"" b:c".movement.container_id is
    'Container that it went into; null when it left.';
comment on column "l'""a"" b:c".movement.movement_date is
    'When the object moved.';
comment on column "l'""a"" b:c".movement.storage_location is
    'Where in the container, as free text.';
comment on column "l'""a"" b:c".movement.login is
    'Who recorded the movement.';
comment on column "l'""a"" b:c".movement.column_number is
    'Column of the place in the container.';
comment on column "l'""a"" b:c".movement.line_number is
    'Line of the place in the container.';

alter table "l'""a"" b:c".object
    add constraint object_last_movement_id_fk
        foreign key (last_movement_id) references "l'""a"" b:c".movement (movement_id);

create sequence "l'""a"" b:c".borrower_borrower_id_seq minvalue 0 maxvalue 2147483647 start 1;

create table "l'""a"" b:c".borrower (
    borrower_id      integer not null default nextval('"l''""a"" b:c".borrower_borrower_id_seq'),
    borrower_name    varchar not null,
    borrower_address varchar,
    borrower_phone   varchar,
    laboratory_code  varchar,
    borrower_mail    varchar,
    constraint borrower_pk primary key (borrower_id)
);

create unique index borrower_name_idx on "l'""a"" b:c".borrower (borrower_name);

comment on table "l'""a"" b:c".borrower is
    'Persons or laboratories to whom objects are lent.';
comment on column "l'""a"" b:c".borrower.laboratory_code is
    'Code of the laboratory of the borrower.';

create sequence "l'""a"" b:c".borrowing_borrowing_id_seq minvalue 0 maxvalue 2147483647 start 1;

create table "l'""a"" b:c".borrowing (
    borrowing_id         integer not null default nextval('"l''""a"" b:c".borrowing_borrowing_id_seq'),
    borrowing_date       timestamp not null,
    expected_return_date timestamp,
    uid                  integer not null,
    borrower_id          integer not null,
    return_date          timestamp,
    borrowing_comment    varchar,
    constraint borrowing_pk primary key (borrowing_id),
    constraint borrower_fk
        foreign key (borrower_id) references "l'""a"" b:c".borrower (borrower_id) match full
        on update cascade on delete restrict,
    constraint object_fk
        foreign key (uid) references "l'""a"" b:c".object (uid) match full
        on update cascade on delete restrict
);

create index borrowing_borrower_id_idx on "l'""a"" b:c".borrowing (borrower_id);
create index borrowing_uid_idx on "l'""a"" b:c".borrowing (uid);

comment on table "l'""a"" b:c".borrowing is
    'Loans of objects.';
comment on column "l'""a"" b:c".borrowing.expected_return_date is
    'When the object should come back.';
comment on column "l'""a"" b:c".borrowing.uid is
    'Object that is lent.';
comment on column "l'""a"" b:c".borrowing.return_date is
    'When the object came back; null while it is lent.';
comment on column "l'""a"" b:c".borrowing.borrowing_comment is
    'Remarks on the borrowing.';

create table "l'""a"" b:c".subsample (
    subsample_id       serial not null,
    sample_id          integer not null,
    movement_type_id   integer not null,
    subsample_quantity double precision,
    subsample_date     timestamp not null,
    subsample_login    varchar not null,
    subsample_comment  varchar,
    borrower_id        integer,
    createdsample_id   integer,
    constraint subsample_pk primary key (subsample_id),
    constraint borrower_fk
        foreign key (borrower_id) references "l'""a"" b:c".borrower (borrower_id) match full
        on update cascade on delete set null deferrable,
    constraint movement_type_subsample_fk
        foreign key (movement_type_id) references "l'""a"" b:c".movement_type (movement_type_id),
    constraint sample_id
        foreign key (createdsample_id) references "l'""a"" b:c".sample (sample_id) match full
        on update cascade on delete set null,
    constraint sample_subsample_fk
        foreign key (sample_id) references "l'""a"" b:c".sample (sample_id)
);

create index subsample_createdsample_id_idx on "l'""a"" b:c".subsample (createdsample_id);

comment on table "l'""a"" b:c".subsample is
    'Quantities taken from or put back into samples that can be divided.';
comment on column "l'""a"" b:c".subsample.movement_type_id is
    '1 when put back, 2 when taken.';
comment on column "l'""a"" b:c".subsample.borrower_id is
    'Who received what was taken.';
comment on column "l'""a"" b:c".subsample.createdsample_id is
    'Sample that was made of the subsample.';

create table "l'""a"" b:c".booking (
    booking_id      serial not null,
    uid             integer not null,
    booking_date    timestamp not null,
    date_from       timestamp not null,
    date_to         timestamp not null,
    booking_login   varchar not null,
    booking_comment varchar,
    constraint booking_pk primary key (booking_id),
    constraint object_booking_fk
        foreign key (uid) references "l'""a"" b:c".object (uid)
);

comment on table "l'""a"" b:c".booking is
    'Reservations of objects.';
comment on column "l'""a"" b:c".booking.booking_date is
    'When the reservation was made.';
comment on column "l'""a"" b:c".booking.booking_login is
    'Who made the reservation.';

create table "l'""a"" b:c".event_type (
    event_type_id   serial not null,
    event_type_name varchar not null,
    is_sample       boolean not null default false,
    is_container    boolean not null default false,
    constraint event_type_pk primary key (event_type_id)
);

create unique index event_type_name_idx on "l'""a"" b:c".event_type (event_type_name);

comment on table "l'""a"" b:c".event_type is
    'Kinds of events.';
comment on column "l'""a"" b:c".event_type.is_sample is
    'The event can happen to a sample.';
comment on column "l'""a"" b:c".event_type.is_container is
    'The event can happen to a container.';

create table "l'""a"" b:c".collection_eventtype (
    collection_id integer not null,
    event_type_id integer not null,
    constraint collection_eventtype_pk primary key (collection_id, event_type_id),
    constraint collection_eventtype_collection_fk
        foreign key (collection_id) references "l'""a"" b:c".collection (collection_id)
        on update cascade,
    constraint collection_eventtype_event_type_fk
        foreign key (event_type_id) references "l'""a"" b:c".event_type (event_type_id)
        on update cascade
);

comment on table "l'""a"" b:c".collection_eventtype is
    'Types of events that a collection offers.';

create table "l'""a"" b:c".event (
    event_id        serial not null,
    uid             integer not null,
    event_type_id   integer not null,
    event_date      timestamp,
    still_available varchar,
    event_comment   varchar,
    due_date        timestamp,
    constraint event_pk primary key (event_id),
    constraint event_type_event_fk
        foreign key (event_type_id) references "l'""a"" b:c".event_type (event_type_id),
    constraint object_event_fk
        foreign key (uid) references "l'""a"" b:c".object (uid)
);

create index due_date_idx on "l'""a"" b:c".event (due_date);
create index event_date_idx on "l'""a"" b:c".event (event_date);

comment on table "l'""a"" b:c".event is
    'Events in the life of objects.';
comment on column "l'""a"" b:c".event.still_available is
    'What remains of the object after the event.';
comment on column "l'""a"" b:c".event.due_date is
    'When the event is expected.';

create table "l'""a"" b:c".mime_type (
    mime_type_id serial not null,
    extension    varchar not null,
    content_type varchar not null,
    constraint mime_type_pk primary key (mime_type_id)
);

create unique index mime_type_extension_idx on "l'""a"" b:c".mime_type (extension);

comment on table "l'""a"" b:c".mime_type is
    'Types of files that can be attached to objects.';
comment on column "l'""a"" b:c".mime_type.mime_type_id is
    '4, 5 and 6 are the photographs of the view last_photo.';

create table "l'""a"" b:c".document (
    document_id            serial not null,
    uid                    integer,
    mime_type_id           integer not null,
    document_import_date   timestamp not null,
    document_name          varchar not null,
    document_description   varchar,
    data                   bytea,
    thumbnail              bytea,
    size                   integer,
    document_creation_date timestamp,
    campaign_id            integer,
    uuid                   uuid not null default gen_random_uuid(),
    external_storage       boolean not null default false,
    external_storage_path  varchar,
    event_id               integer,
    collection_id          integer,
    constraint document_pk primary key (document_id),
    constraint campaign_fk
        foreign key (campaign_id) references "l'""a"" b:c".campaign (campaign_id) match full
        on update cascade on delete set null,
    constraint collection_fk
        foreign key (collection_id) references "l'""a"" b:c".collection (collection_id) match full
        on update cascade on delete set null,
    constraint event_fk
        foreign key (event_id) references "l'""a"" b:c".event (event_id) match full
        on update cascade on delete set null,
    constraint mime_type_document_fk
        foreign key (mime_type_id) references "l'""a"" b:c".mime_type (mime_type_id),
    constraint object_document_fk
        foreign key (uid) references "l'""a"" b:c".object (uid)
);

create index collection_id_idx on "l'""a"" b:c".document (collection_id);
create index document_campaign_id_idx on "l'""a"" b:c".document (campaign_id);
create index event_id_dx on "l'""a"" b:c".document (event_id);
create index external_storage_path_idx on "l'""a"" b:c".document (external_storage_path);
create index uid_idx on "l'""a"" b:c".document (uid);

comment on table "l'""a"" b:c".document is
    'Files attached to objects.';
comment on column "l'""a"" b:c".document.uid is
    'Object of the document; null for one of a campaign or a collection.';
comment on column "l'""a"" b:c".document.document_name is
    'Name of the file.';
comment on column "l'""a"" b:c".document.data is
    'The file itself.';
comment on column "l'""a"" b:c".document.thumbnail is
    'Reduced image, as PNG.';
comment on column "l'""a"" b:c".document.size is
    'Size of the file in bytes.';
comment on column "l'""a"" b:c".document.document_creation_date is
    'When the file was made, for instance when the photograph was taken.';
comment on column "l'""a"" b:c".document.campaign_id is
    'Campaign that the document belongs to.';
comment on column "l'""a"" b:c".document.uuid is
    'Identifier of the document in any database.';
comment on column "l'""a"" b:c".document.external_storage is
    'The file is kept outside the database.';
comment on column "l'""a"" b:c".document.external_storage_path is
    'Where the file is, below the root of its collection.';
comment on column "l'""a"" b:c".document.event_id is
    'Event that the document belongs to.';
comment on column "l'""a"" b:c".document.collection_id is
    'Collection that the document belongs to.';

create sequence "l'""a"" b:c".request_request_id_seq;

create table "l'""a"" b:c".request (
    request_id    integer not null default nextval('"l''""a"" b:c".request_request_id_seq'),
    create_date   timestamp not null,
    last_exec     timestamp,
    title         varchar not null,
    body          varchar not null,
    login         varchar not null,
    datefields    varchar,
    collection_id integer,
    constraint request_pk primary key (request_id),
    constraint collection_fk
        foreign key (collection_id) references "l'""a"" b:c".collection (collection_id) match full
        on update cascade on delete set null deferrable
);

comment on table "l'""a"" b:c".request is
    'Queries that users run from the application.';
comment on column "l'""a"" b:c".request.last_exec is
    'When the query was last run.';
comment on column "l'""a"" b:c".request.body is
    'The query, as SQL. The application runs it with its own search path.';
comment on column "l'""a"" b:c".request.datefields is
    'Fields that are shown as dates, separated by commas.';
comment on column "l'""a"" b:c".request.collection_id is
    'Collection whose members may run the query; null for everybody.';

create sequence "l'""a"" b:c".export_model_export_model_id_seq minvalue 0 maxvalue 2147483647 start 1;

create table "l'""a"" b:c".export_model (
    export_model_id   integer not null default nextval('"l''""a"" b:c".export_model_export_model_id_seq'),
    export_model_name varchar not null,
    pattern           json,
    target            varchar,
    constraint export_model_pk primary key (export_model_id)
);

comment on table "l'""a"" b:c".export_model is
    'Structures by which the application exports and imports its own parameters.';
comment on column "l'""a"" b:c".export_model.pattern is
    'Tables, keys and their links, as JSON.';
comment on column "l'""a"" b:c".export_model.target is
    'Application that the export is made for.';

create table "l'""a"" b:c".export_format (
    export_format_id   serial not null,
    export_format_name varchar not null,
    constraint export_format_pk primary key (export_format_id)
);

comment on table "l'""a"" b:c".export_format is
    'Formats of files that an export can write.';

create table "l'""a"" b:c".dataset_type (
    dataset_type_id   serial not null,
    dataset_type_name varchar not null,
    fields            json,
    constraint dataset_type_pk primary key (dataset_type_id)
);

comment on table "l'""a"" b:c".dataset_type is
    'What a dataset is about, and the fields that it can have. The application knows the ids.';
comment on column "l'""a"" b:c".dataset_type.fields is
    'Names of the fields, as a JSON array.';

create table "l'""a"" b:c".translator (
    translator_id   serial not null,
    translator_name varchar not null,
    translator_data json,
    constraint translator_pk primary key (translator_id)
);

comment on table "l'""a"" b:c".translator is
    'Tables of translation: what an export writes in place of a value.';
comment on column "l'""a"" b:c".translator.translator_data is
    'Values and what is written for them, as a JSON object.';

create table "l'""a"" b:c".dataset_template (
    dataset_template_id   serial not null,
    dataset_template_name varchar not null,
    export_format_id      integer not null,
    dataset_type_id       integer not null,
    only_last_document    boolean default false,
    separator             varchar,
    filename              varchar not null default 'cs-export.csv',
    xmlroot               varchar,
    xmlnodename           varchar default 'sample',
    xslcontent            varchar,
    constraint dataset_template_pk primary key (dataset_template_id),
    constraint dataset_type_fk
        foreign key (dataset_type_id) references "l'""a"" b:c".dataset_type (dataset_type_id) match full
        on update cascade deferrable,
    constraint export_format_fk
        foreign key (export_format_id) references "l'""a"" b:c".export_format (export_format_id) match full
        on update cascade deferrable
);

create unique index dataset_template_name_idx on "l'""a"" b:c".dataset_template (dataset_template_name);

comment on table "l'""a"" b:c".dataset_template is
    'Models of datasets: one file of an export.';
comment on column "l'""a"" b:c".dataset_template.only_last_document is
    'Only the newest document of each object is exported.';
comment on column "l'""a"" b:c".dataset_template.separator is
    'Between the columns of a CSV file.';
comment on column "l'""a"" b:c".dataset_template.xmlroot is
    'Beginning of the XML file, up to the rows.';
comment on column "l'""a"" b:c".dataset_template.xmlnodename is
    'Element of a row in XML.';
comment on column "l'""a"" b:c".dataset_template.xslcontent is
    'Stylesheet that turns the XML into what is delivered.';

create table "l'""a"" b:c".dataset_column (
    dataset_column_id   serial not null,
    dataset_template_id integer not null,
    column_name         varchar not null,
    export_name         varchar not null,
    subfield_name       varchar,
    translator_id       integer,
    column_order        smallint default 1,
    mandatory           boolean default false,
    default_value       varchar,
    date_format         varchar,
    search_order        smallint,
    constraint dataset_column_pk primary key (dataset_column_id),
    constraint dataset_template_fk
        foreign key (dataset_template_id) references "l'""a"" b:c".dataset_template (dataset_template_id) match full
        on update cascade deferrable,
    constraint translator_fk
        foreign key (translator_id) references "l'""a"" b:c".translator (translator_id) match full
        on update cascade on delete set null deferrable
);

comment on table "l'""a"" b:c".dataset_column is
    'Columns of a dataset: what an export writes for each row.';
comment on column "l'""a"" b:c".dataset_column.column_name is
    'Field that the column shows.';
comment on column "l'""a"" b:c".dataset_column.export_name is
    'Name of the column in the file.';
comment on column "l'""a"" b:c".dataset_column.subfield_name is
    'Name inside the field, for metadata and identifiers.';
comment on column "l'""a"" b:c".dataset_column.translator_id is
    'Table of translation for the values.';
comment on column "l'""a"" b:c".dataset_column.mandatory is
    'A row without a value is refused.';
comment on column "l'""a"" b:c".dataset_column.default_value is
    'Written where there is no value.';
comment on column "l'""a"" b:c".dataset_column.date_format is
    'Format of dates in the file.';
comment on column "l'""a"" b:c".dataset_column.search_order is
    'Rank among the columns by which an import looks for the object; null when it does not.';

create table "l'""a"" b:c".export_template (
    export_template_id          serial not null,
    export_template_name        varchar not null,
    export_template_description varchar,
    export_template_version     varchar,
    is_zipped                   boolean default false,
    filename                    varchar not null default 'cs-export.csv',
    constraint export_model1_pk primary key (export_template_id)
);

create unique index export_template_name_idx on "l'""a"" b:c".export_template (export_template_name);

comment on table "l'""a"" b:c".export_template is
    'Models of exports: a file, or an archive of several.';
comment on column "l'""a"" b:c".export_template.is_zipped is
    'The files are delivered in one ZIP archive.';

create table "l'""a"" b:c".export_dataset (
    export_template_id  integer not null,
    dataset_template_id integer not null,
    constraint export_dataset_pk primary key (export_template_id, dataset_template_id) deferrable,
    constraint dataset_template_fk
        foreign key (dataset_template_id) references "l'""a"" b:c".dataset_template (dataset_template_id) match full
        on update cascade on delete cascade deferrable,
    constraint export_template_fk
        foreign key (export_template_id) references "l'""a"" b:c".export_template (export_template_id) match full
        on update cascade on delete cascade deferrable
);

comment on table "l'""a"" b:c".export_dataset is
    'Datasets that an export consists of.';

create table "l'""a"" b:c".lot (
    lot_id        serial not null,
    collection_id integer,
    lot_date      timestamp not null default current_timestamp,
    constraint lot_pk primary key (lot_id),
    constraint collection_fk
        foreign key (collection_id) references "l'""a"" b:c".collection (collection_id) match full
        on update cascade on delete set null deferrable
);

comment on table "l'""a"" b:c".lot is
    'Lots: sets of samples that are exported together.';

create table "l'""a"" b:c".lot_sample (
    lot_id    integer not null,
    sample_id integer not null,
    constraint lot_sample_pk primary key (lot_id, sample_id) deferrable,
    constraint lot_fk
        foreign key (lot_id) references "l'""a"" b:c".lot (lot_id) match full
        on update cascade on delete cascade deferrable,
    constraint sample_fk
        foreign key (sample_id) references "l'""a"" b:c".sample (sample_id) match full
        on update cascade on delete cascade deferrable
);

comment on table "l'""a"" b:c".lot_sample is
    'Samples of a lot.';

create table "l'""a"" b:c".export (
    export_id          serial not null,
    lot_id             integer not null,
    export_date        timestamp,
    export_template_id integer not null,
    constraint export_pk primary key (export_id),
    constraint export_template_fk
        foreign key (export_template_id) references "l'""a"" b:c".export_template (export_template_id) match full
        on update cascade deferrable,
    constraint lot_fk
        foreign key (lot_id) references "l'""a"" b:c".lot (lot_id) match full
        on update cascade deferrable
);

comment on table "l'""a"" b:c".export is
    'Exports made of a lot.';
comment on column "l'""a"" b:c".export.export_date is
    'When the file was made; null while it was not.';

-- Views ----------------------------------------------------------------------

create view "l'""a"" b:c".last_movement as
select moved.uid,
       moved.movement_id,
       moved.movement_date,
       moved.movement_type_id,
       moved.container_id,
       holder.uid as container_uid,
       held.identifier as container_identifier,
       moved.line_number,
       moved.column_number,
       moved.movement_reason_id
from "l'""a"" b:c".object as mover
join "l'""a"" b:c".movement as moved on moved.movement_id = mover.last_movement_id
left join "l'""a"" b:c".container as holder on holder.container_id = moved.container_id
left join "l'""a"" b:c".object as held on held.uid = holder.uid;

comment on view "l'""a"" b:c".last_movement is
    'Where each object is: its last movement. Out of storage, it has no container.';

create view "l'""a"" b:c".slots_used as
select container_id, count(*) as nb_slots_used
from "l'""a"" b:c".last_movement
where movement_type_id = 1
group by container_id;

comment on view "l'""a"" b:c".slots_used is
    'Number of objects in each container.';

create view "l'""a"" b:c".last_borrowing as
select distinct on (uid)
       borrowing_id, uid, borrowing_date, expected_return_date, borrower_id
from "l'""a"" b:c".borrowing
where return_date is null
order by uid, borrowing_date desc, borrowing_id desc;

comment on view "l'""a"" b:c".last_borrowing is
    'Newest open loan of each object that is lent.';

create view "l'""a"" b:c".last_photo as
select distinct on (uid) document_id, uid
from "l'""a"" b:c".document
where mime_type_id in (4, 5, 6)
  and uid is not null
order by uid, document_creation_date desc, document_import_date desc, document_id desc;

comment on view "l'""a"" b:c".last_photo is
    'Newest photograph (JPEG or PNG) of each object.';

create view "l'""a"" b:c".v_object_identifier as
select named.uid,
       string_agg(
           coalesce(kind.identifier_type_code, kind.identifier_type_name)
               || ':' || named.object_identifier_value,
           ','
           order by kind.identifier_type_code, named.object_identifier_value,
                    kind.identifier_type_name
       ) as identifiers
from "l'""a"" b:c".object_identifier as named
join "l'""a"" b:c".identifier_type as kind on kind.identifier_type_id = named.identifier_type_id
group by named.uid;

comment on view "l'""a"" b:c".v_object_identifier is
    'Further identifiers of each object on one line, as code:value,code:value.';

create view "l'""a"" b:c".v_subsample_quantity as
select divided.sample_id,
       divided.uid,
       divided.multiple_value,
       coalesce(sum(part.subsample_quantity) filter (where part.movement_type_id = 1), 0)
           as subsample_more,
       coalesce(sum(part.subsample_quantity) filter (where part.movement_type_id = 2), 0)
           as subsample_less
from "l'""a"" b:c".sample as divided
left join "l'""a"" b:c".subsample as part on part.sample_id = divided.sample_id
group by divided.sample_id, divided.uid, divided.multiple_value;

comment on view "l'""a"" b:c".v_subsample_quantity is
    'Quantities put back into each sample and taken from it.';

create view "l'""a"" b:c".v_derivated_number as
select parent.uid, count(*) as nb_derivated_sample
from "l'""a"" b:c".sample as child
join "l'""a"" b:c".sample as parent on parent.sample_id = child.parent_sample_id
group by parent.uid;

comment on view "l'""a"" b:c".v_derivated_number is
    'Number of samples derived from each sample that has some.';

create view "l'""a"" b:c".v_sample_parents as
select taken.createdsample_id as sample_id,
       array_to_string(
           array_agg(source.uid::text || ' ' || source.identifier order by source.uid), ', '
       ) as sample_parents
from "l'""a"" b:c".subsample as taken
join "l'""a"" b:c".sample as parent on parent.sample_id = taken.sample_id
join "l'""a"" b:c".object as source on source.uid = parent.uid
group by taken.createdsample_id;

comment on view "l'""a"" b:c".v_sample_parents is
    'Samples whose subsamples made a sample, on one line, as uid identifier, uid identifier.';

-- Functions ------------------------------------------------------------------

create function "l'""a"" b:c".geteventtypesfromcollection(collection_id integer) returns varchar
language sql as $$
    select string_agg(kind.event_type_name, ', ' order by kind.event_type_name)::varchar
    from "l'""a"" b:c".collection_eventtype as tied
    join "l'""a"" b:c".event_type as kind on kind.event_type_id = tied.event_type_id
    where tied.collection_id = $1
$$;

comment on function "l'""a"" b:c".geteventtypesfromcollection(integer) is
    'Types of events that a collection offers, on one line.';

create function "l'""a"" b:c".getsampletypesfromcollection(collection_id integer) returns varchar
language sql as $$
    select string_agg(kind.sample_type_name, ', ' order by kind.sample_type_name)::varchar
    from "l'""a"" b:c".collection_sampletype as tied
    join "l'""a"" b:c".sample_type as kind on kind.sample_type_id = tied.sample_type_id
    where tied.collection_id = $1
$$;

comment on function "l'""a"" b:c".getsampletypesfromcollection(integer) is
    'Types of samples that a collection offers, on one line.';

create function "l'""a"" b:c".getgroupsfromcollection(collection_id integer) returns varchar
language sql as $$
    select string_agg(member.groupe, ', ')::varchar
    from "l'""a"" b:c".collection_group as tied
    join "order %s\".aclgroup as member on member.aclgroup_id = tied.aclgroup_id
    where tied.collection_id = $1
$$;

comment on function "l'""a"" b:c".getgroupsfromcollection(integer) is
    'Groups that may work on a collection, on one line.';

create function "l'""a"" b:c".regenerate_metadata_indexes() returns integer
language plpgsql as $$
declare
    prefix constant text := 'sample_metadata_lower_';
    operators text;
    present record;
    field text;
begin
    -- pg_trgm may be in any schema.
    select format('%I.%I', home.nspname, class.opcname) into strict operators
    from pg_opclass as class
    join pg_namespace as home on home.oid = class.opcnamespace
    where class.opcname = 'gist_trgm_ops'
    order by home.nspname
    limit 1;
    for present in
        select index_class.oid::regclass as place,
               index_class.relname as name,
               pg_get_expr(index_row.indexprs, index_row.indrelid) as expression,
               index_row.indnatts = 1 and index_row.indpred is null as ours
        from pg_index as index_row
        join pg_class as index_class on index_class.oid = index_row.indexrelid
        where index_row.indrelid = '"l''""a"" b:c".sample'::regclass
          and left(index_class.relname, length(prefix)) = prefix
        order by index_class.relname
    loop
        -- The index knows its field better than its name does, which is folded and cut.
        field := replace(
            substring(present.expression from '->> ''(.*)''::text'), '''''', ''''
        );
        if field is null then
            select min(known.name) into field
            from (
                select described.value ->> 'name' as name
                from (
                    select metadata_schema from "l'""a"" b:c".metadata
                    where json_typeof(metadata_schema) = 'array'
                ) as form
                cross join json_array_elements(form.metadata_schema) as described
            ) as known
            where present.name in (
                (prefix || known.name || '_idx')::name, lower(prefix || known.name || '_idx')::name
            );
        end if;
        if field is null or not present.ours then
            raise warning 'index % is left as it is', present.name;
            continue;
        end if;
        execute format('drop index %s', present.place);
        execute format(
            'create index %I on %s using gist (lower(metadata ->> %L) %s)',
            present.name, '"l''""a"" b:c".sample'::regclass, field, operators
        );
    end loop;
    return 1;
end
$$;

comment on function "l'""a"" b:c".regenerate_metadata_indexes() is
    'Makes the indexes on searchable metadata fields again.';

-- Rows that an installation starts with --------------------------------------

insert into "l'""a"" b:c".dbversion (dbversion_id, dbversion_number, dbversion_date) values
    (4, '2.0', '2018-05-04'),
    (5, '2.1', '2018-07-03'),
    (6, '2.2', '2018-09-06'),
    (7, '2.3', '2019-08-14'),
    (8, '2.4', '2020-03-01'),
    (9, '2.5', '2020-11-16'),
    (10, '2.6', '2021-04-16'),
    (11, '2.7', '2022-06-20'),
    (12, '2.8', '2022-09-26'),
    (13, '2.8.1', '2022-12-01'),
    (14, '24.0', '2024-01-02'),
    (15, '24.1', '2024-01-31'),
    (16, '25.0', '2024-09-18'),
    (17, '26.0', '2025-11-01'),
    (18, '26.1', '2026-04-01'),
    (19, '26.2', '2026-08-21');
insert into "l'""a"" b:c".dbparam (
    dbparam_id, dbparam_name, dbparam_value, dbparam_description, dbparam_description_en
) values
    (1, 'APPLI_code', null, 'Code de l''instance. Ce code figurera dans les QRcodes', 'Instance code. This code will appear in the Qrcodes'),
    (2, 'APPLI_title', null, 'Nom de l''instance, affiché dans l''interface', 'Instance name, displayed in the interface'),
    (3, 'mapDefaultX', '-0.70', 'Longitude de positionnement par défaut des cartes', 'Default positioning longitude for maps'),
    (4, 'mapDefaultY', '44.77', 'Latitude de positionnement par défaut des cartes', 'Default positioning latitude for maps'),
    (5, 'mapDefaultZoom', '7', 'Niveau de zoom par défaut dans les cartes', 'Default zoom level in maps'),
    (6, 'otp_issuer', 'collec-science', 'Nom affiché dans les applications de génération de codes uniques pour l''identification à double facteur', 'Name displayed in applications generating unique codes for two-factor identification'),
    (7, 'containerNameUnique', '0', 'Si positionné à 1, le logiciel interdira la création de deux contenants avec le même nom', 'If set to 1, the software will prohibit the creation of two containers with the same name'),
    (8, 'consultSeesAll', '0', 'Si positionné à 1, les utilisateurs avec le droit de consultation peuvent visualiser toutes les métadonnées de tous les échantillons', 'If set to 1, users with consultation rights can view all the metadata for all the samples'),
    (9, 'notificationDelay', '7', 'Nombre de jours entre deux envois de notifications. 0 : pas de notifications', 'Number of days between two notifications. 0: no notification'),
    (10, 'notificationLastDate', null, 'Date de l''envoi des dernières notifications', 'Date of last notifications sent'),
    (12, 'labelDebugMode', '0', 'Si à 1, les fichiers générés lors de la création des étiquettes ne sont pas supprimés', 'If set to 1, files generated when creating labels are not deleted');
insert into "l'""a"" b:c".license (license_id, license_name, license_url) values
    (1, 'CC0', 'https://creativecommons.org/publicdomain/zero/1.0/'),
    (2, 'CCBY', 'https://creativecommons.org/licenses/by/4.0/');
insert into "l'""a"" b:c".barcode (barcode_id, barcode_name, barcode_code) values
    (1, 'QRCode', 'QR'),
    (2, 'EAN 128', 'C128');
insert into "l'""a"" b:c".multiple_type (multiple_type_id, multiple_type_name) values
    (1, 'Unité'),
    (2, 'Pourcentage'),
    (3, 'Quantité ou volume'),
    (4, 'Autre');
insert into "l'""a"" b:c".container_family (container_family_id, container_family_name) values
    (1, 'Immobilier'),
    (2, 'Mobilier');
insert into "l'""a"" b:c".container_type (container_type_id, container_type_name, container_family_id) values
    (1, 'Site', 1),
    (2, 'Bâtiment', 1),
    (3, 'Pièce', 1),
    (4, 'Armoire', 2),
    (5, 'Congélateur', 2);
insert into "l'""a"" b:c".object_status (object_status_id, object_status_name) values
    (1, 'État normal'),
    (2, 'Objet pré-réservé pour usage ultérieur'),
    (3, 'Objet détruit'),
    (4, 'Echantillon vidé de tout contenu'),
    (6, 'Objet prêté');
insert into "l'""a"" b:c".movement_type (movement_type_id, movement_type_name) values
    (1, 'Entrée/Entry'),
    (2, 'Sortie/Exit');
insert into "l'""a"" b:c".event_type (event_type_id, event_type_name, is_sample, is_container) values
    (1, 'Autre', true, true),
    (2, 'Conteneur cassé', false, true),
    (3, 'Échantillon détruit', true, false),
    (4, 'Prélèvement pour analyse', true, false),
    (5, 'Échantillon totalement analysé, détruit', true, false);
insert into "l'""a"" b:c".mime_type (mime_type_id, extension, content_type) values
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
insert into "l'""a"" b:c".request (request_id, create_date, title, body, login) values
    (1, now(), 'Number of samples by collection', 'SELECT collection_name, count(*) as "number of samples"
from sample
join collection using (collection_id)
group by collection_name', 'admin');
insert into "l'""a"" b:c".export_model (export_model_id, export_model_name, pattern) values
    (1, 'export_model', '[{"tableName":"export_model","businessKey":"export_model_name","istable11":false,"children":[],"booleanFields":[],"istablenn":false}]'),
    (2, 'export_template', '[{"tableName":"export_template","technicalKey":"export_template_id","isEmpty":false,"businessKey":"export_template_name","istable11":false,"children":[{"aliasName":"export_dataset","isStrict":true}],"parents":[],"istablenn":false},{"tableName":"export_dataset","isEmpty":false,"parentKey":"export_template_id","istable11":false,"children":[],"parents":[{"aliasName":"dataset_template","fieldName":"dataset_template_id"}],"istablenn":true,"tablenn":{"secondaryParentKey":"dataset_template_id","tableAlias":"dataset_template"}},{"tableName":"dataset_template","technicalKey":"dataset_template_id","isEmpty":true,"businessKey":"dataset_template_name","istable11":false,"children":[{"aliasName":"dataset_column","isStrict":true}],"parents":[],"istablenn":false},{"tableName":"dataset_column","technicalKey":"dataset_column_id","isEmpty":false,"parentKey":"dataset_template_id","istable11":false,"children":[],"parents":[{"aliasName":"translator","fieldName":"translator_id"}],"istablenn":false},{"tableName":"translator","technicalKey":"translator_id","isEmpty":true,"businessKey":"translator_name","istable11":false,"children":[],"parents":[],"istablenn":false}]');
insert into "l'""a"" b:c".export_format (export_format_id, export_format_name) values
    (1, 'CSV'),
    (2, 'JSON'),
    (3, 'XML');
insert into "l'""a"" b:c".dataset_type (dataset_type_id, dataset_type_name, fields) values
    (1, 'sample', '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","product_name","risk_name","multiple_type_name","collection_name","metadata","metadata_unit","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value","country_code","country_origin_code","trashed","campaign_id","campaign_name","campaign_uuid"]'),
    (2, 'collection', '["collection_name","collection_displayname","collection_keywords","referent_name","referent_firstname","academical_directory","academical_link","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","fixed_value"]'),
    (3, 'document', '["document_name","document_uuid","uid","sample_uuid","identifier","content_type","extension","size","document_creation_date","fixed_value", "web_address"]'),
    (4, 'arbitrary content', '["content"]'),
    (5, 'elabftw', null);
insert into "l'""a"" b:c".dataset_template (
    dataset_template_id, dataset_template_name, export_format_id, dataset_type_id, separator, filename
) values
    (1, 'elabftw', 1, 5, ',', 'export_to_elabftw.csv');
insert into "l'""a"" b:c".export_template (
    export_template_id, export_template_name, export_template_description, filename
) values
    (1, 'elabftw', 'Export to elabftw', 'export_to_elabftw.csv');
insert into "l'""a"" b:c".export_dataset (export_template_id, dataset_template_id) values
    (1, 1);
-- Two examples of labels, for 10 by 5 cm. The file of a logo is named after the id of its label.
insert into "l'""a"" b:c".label (label_id, label_name, label_xsl) values
    (1, 'Exemple - ne pas utiliser', '<?xml version="1.0" encoding="UTF-8"?>
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
</xsl:stylesheet>'),
    (2, 'Example', '<?xml version="1.0" encoding="UTF-8"?>
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:fo="http://www.w3.org/1999/XSL/Format">
  <xsl:output method="xml" indent="yes"/>

  <xsl:template match="/objects">
    <fo:root>
      <fo:layout-master-set>
        <fo:simple-page-master master-name="label" page-width="10cm" page-height="5cm"
            margin-left="0.5cm" margin-top="0.5cm">
          <fo:region-body/>
        </fo:simple-page-master>
      </fo:layout-master-set>
      <fo:page-sequence master-reference="label">
        <fo:flow flow-name="xsl-region-body" font-family="sans-serif" font-size="9pt">
          <xsl:apply-templates select="object"/>
        </fo:flow>
      </fo:page-sequence>
    </fo:root>
  </xsl:template>

  <xsl:template match="object">
    <fo:table table-layout="fixed" width="9cm">
      <fo:table-column column-width="6cm"/>
      <fo:table-column column-width="3cm"/>
      <fo:table-body>
        <fo:table-row>
          <fo:table-cell>
            <fo:block>
              <fo:external-graphic src="2-logo.png" scaling="uniform"
                  content-width="1cm" content-height="1cm"/>
              Labo Collec-Science
            </fo:block>
            <fo:block font-weight="bold">
              <xsl:value-of select="db"/>:<xsl:value-of select="uid"/>
            </fo:block>
            <fo:block>id: <fo:inline font-weight="bold"><xsl:value-of select="id"/></fo:inline></fo:block>
          </fo:table-cell>
          <fo:table-cell>
            <fo:block>
              <fo:external-graphic src="{uid}.png" scaling="uniform"
                  content-width="2.5cm" content-height="2.5cm"/>
            </fo:block>
          </fo:table-cell>
        </fo:table-row>
      </fo:table-body>
    </fo:table>
    <fo:block text-align="center">
      <fo:external-graphic src="{uid}-2.png" scaling="non-uniform"
          content-width="9cm" content-height="1cm"/>
    </fo:block>
    <fo:block>Risque: <fo:inline font-weight="bold"><xsl:value-of select="clp"/></fo:inline></fo:block>
    <xsl:if test="position() != last()">
      <fo:block page-break-after="always"/>
    </xsl:if>
  </xsl:template>
</xsl:stylesheet>');
insert into "l'""a"" b:c".label_optical (
    label_optical_id, label_id, barcode_id, content_type, optical_content
) values
    (1, 1, 1, 1, 'uid,id,clp,db,prj'),
    (2, 2, 1, 2, 'uuid'),
    (3, 2, 2, 2, 'uid');
insert into "l'""a"" b:c".country (country_id, country_name, country_code2, country_code3) values
    (4, 'Afghanistan', 'AF', 'AFG'),
    (8, 'Albanie', 'AL', 'ALB'),
    (10, 'Antarctique', 'AQ', 'ATA'),
    (12, 'Algérie', 'DZ', 'DZA'),
    (16, 'Samoa américaines', 'AS', 'ASM'),
    (20, 'Andorre', 'AD', 'AND'),
    (24, 'Angola', 'AO', 'AGO'),
    (28, 'Antigua-et-Barbuda', 'AG', 'ATG'),
    (31, 'Azerbaïdjan', 'AZ', 'AZE'),
    (32, 'Argentine', 'AR', 'ARG'),
    (36, 'Australie', 'AU', 'AUS'),
    (40, 'Autriche', 'AT', 'AUT'),
    (44, 'Bahamas', 'BS', 'BHS'),
    (48, 'Bahreïn', 'BH', 'BHR'),
    (50, 'Bangladesh', 'BD', 'BGD'),
    (51, 'Arménie', 'AM', 'ARM'),
    (52, 'Barbade', 'BB', 'BRB'),
    (56, 'Belgique', 'BE', 'BEL'),
    (60, 'Bermudes', 'BM', 'BMU'),
    (64, 'Bhoutan', 'BT', 'BTN'),
    (68, 'Bolivie', 'BO', 'BOL'),
    (70, 'Bosnie-Herzégovine', 'BA', 'BIH'),
    (72, 'Botswana', 'BW', 'BWA'),
    (74, 'Île Bouvet', 'BV', 'BVT'),
    (76, 'Brésil', 'BR', 'BRA'),
    (84, 'Belize', 'BZ', 'BLZ'),
    (86, 'Territoire britannique de l’Océan Indien', 'IO', 'IOT'),
    (90, 'Îles Salomon', 'SB', 'SLB'),
    (92, 'British Virgin Islands', 'VG', 'VGB'),
    (96, 'Brunei Darussalam', 'BN', 'BRN'),
    (100, 'Bulgarie', 'BG', 'BGR'),
    (104, 'Myanmar', 'MM', 'MMR'),
    (108, 'Burundi', 'BI', 'BDI'),
    (112, 'Biélorussie', 'BY', 'BLR'),
    (116, 'Cambodge', 'KH', 'KHM'),
    (120, 'Cameroun', 'CM', 'CMR'),
    (124, 'Canada', 'CA', 'CAN'),
    (132, 'Cap-Vert', 'CV', 'CPV'),
    (136, 'Iles Cayman', 'KY', 'CYM'),
    (140, 'République centrafricaine', 'CF', 'CAF'),
    (144, 'Sri Lanka', 'LK', 'LKA'),
    (148, 'Tchad', 'TD', 'TCD'),
    (152, 'Chili', 'CL', 'CHL'),
    (156, 'Chine', 'CN', 'CHN'),
    (158, 'Taiwan', 'TW', 'TWN'),
    (162, 'Île Christmas', 'CX', 'CXR'),
    (166, 'Îles Cocos', 'CC', 'CCK'),
    (170, 'Colombie', 'CO', 'COL'),
    (174, 'Comores', 'KM', 'COM'),
    (175, 'Mayotte', 'YT', 'MYT'),
    (178, 'République du Congo', 'CG', 'COG'),
    (180, 'République démocratique du Congo', 'CD', 'COD'),
    (184, 'Îles Cook', 'CK', 'COK'),
    (188, 'Costa Rica', 'CR', 'CRI'),
    (191, 'Croatie', 'HR', 'HRV'),
    (192, 'Cuba', 'CU', 'CUB'),
    (196, 'Chypre', 'CY', 'CYP'),
    (203, 'République tchèque', 'CZ', 'CZE'),
    (204, 'Bénin', 'BJ', 'BEN'),
    (208, 'Danemark', 'DK', 'DNK'),
    (212, 'Dominique', 'DM', 'DMA'),
    (214, 'République dominicaine', 'DO', 'DOM'),
    (218, 'Équateur', 'EC', 'ECU'),
    (222, 'Salvador', 'SV', 'SLV'),
    (226, 'Guinée équatoriale', 'GQ', 'GNQ'),
    (231, 'Éthiopie', 'ET', 'ETH'),
    (232, 'Érythrée', 'ER', 'ERI'),
    (233, 'Estonie', 'EE', 'EST'),
    (234, 'Îles Féroé', 'FO', 'FRO'),
    (238, 'Îles Falkland', 'FK', 'FLK'),
    (239, 'Géorgie du Sud et les îles Sandwich du Sud', 'GS', 'SGS'),
    (242, 'Fidji', 'FJ', 'FJI'),
    (246, 'Finlande', 'FI', 'FIN'),
    (248, 'Îles Åland', 'AX', 'ALA'),
    (250, 'France', 'FR', 'FRA'),
    (254, 'Guyane française', 'GF', 'GUF'),
    (258, 'Polynésie française', 'PF', 'PYF'),
    (260, 'Terres australes et antarctiques françaises', 'TF', 'ATF'),
    (262, 'Djibouti', 'DJ', 'DJI'),
    (266, 'Gabon', 'GA', 'GAB'),
    (268, 'Géorgie', 'GE', 'GEO'),
    (270, 'Gambie', 'GM', 'GMB'),
    (275, 'Palestine', 'PS', 'PSE'),
    (276, 'Allemagne', 'DE', 'DEU'),
    (288, 'Ghana', 'GH', 'GHA'),
    (292, 'Gibraltar', 'GI', 'GIB'),
    (296, 'Kiribati', 'KI', 'KIR'),
    (300, 'Grèce', 'GR', 'GRC'),
    (304, 'Groenland', 'GL', 'GRL'),
    (308, 'Grenade', 'GD', 'GRD'),
    (312, 'Guadeloupe', 'GP', 'GLP'),
    (316, 'Guam', 'GU', 'GUM'),
    (320, 'Guatemala', 'GT', 'GTM'),
    (324, 'Guinée', 'GN', 'GIN'),
    (328, 'Guyane', 'GY', 'GUY'),
    (332, 'Haïti', 'HT', 'HTI'),
    (334, 'Îles Heard-et-MacDonald', 'HM', 'HMD'),
    (336, 'Saint-Siège (Vatican)', 'VA', 'VAT'),
    (340, 'Honduras', 'HN', 'HND'),
    (344, 'Hong Kong', 'HK', 'HKG'),
    (348, 'Hongrie', 'HU', 'HUN'),
    (352, 'Islande', 'IS', 'ISL'),
    (356, 'Inde', 'IN', 'IND'),
    (360, 'Indonésie', 'ID', 'IDN'),
    (364, 'Iran', 'IR', 'IRN'),
    (368, 'Irak', 'IQ', 'IRQ'),
    (372, 'Irlande', 'IE', 'IRL'),
    (376, 'Israël', 'IL', 'ISR'),
    (380, 'Italie', 'IT', 'ITA'),
    (384, 'Côte d’Ivoire', 'CI', 'CIV'),
    (388, 'Jamaïque', 'JM', 'JAM'),
    (392, 'Japon', 'JP', 'JPN'),
    (398, 'Kazakhstan', 'KZ', 'KAZ'),
    (400, 'Jordanie', 'JO', 'JOR'),
    (404, 'Kenya', 'KE', 'KEN'),
    (408, 'Corée du Nord', 'KP', 'PRK'),
    (410, 'Corée du Sud', 'KR', 'KOR'),
    (414, 'Koweït', 'KW', 'KWT'),
    (417, 'Kirghizistan', 'KG', 'KGZ'),
    (418, 'Laos', 'LA', 'LAO'),
    (422, 'Liban', 'LB', 'LBN'),
    (426, 'Lesotho', 'LS', 'LSO'),
    (428, 'Lettonie', 'LV', 'LVA'),
    (430, 'Libéria', 'LR', 'LBR'),
    (434, 'Libye', 'LY', 'LBY'),
    (438, 'Liechtenstein', 'LI', 'LIE'),
    (440, 'Lituanie', 'LT', 'LTU'),
    (442, 'Luxembourg', 'LU', 'LUX'),
    (446, 'Macao', 'MO', 'MAC'),
    (450, 'Madagascar', 'MG', 'MDG'),
    (454, 'Malawi', 'MW', 'MWI'),
    (458, 'Malaisie', 'MY', 'MYS'),
    (462, 'Maldives', 'MV', 'MDV'),
    (466, 'Mali', 'ML', 'MLI'),
    (470, 'Malte', 'MT', 'MLT'),
    (474, 'Martinique', 'MQ', 'MTQ'),
    (478, 'Mauritanie', 'MR', 'MRT'),
    (480, 'Maurice', 'MU', 'MUS'),
    (484, 'Mexique', 'MX', 'MEX'),
    (492, 'Monaco', 'MC', 'MCO'),
    (496, 'Mongolie', 'MN', 'MNG'),
    (498, 'Moldavie', 'MD', 'MDA'),
    (499, 'Monténégro', 'ME', 'MNE'),
    (500, 'Montserrat', 'MS', 'MSR'),
    (504, 'Maroc', 'MA', 'MAR'),
    (508, 'Mozambique', 'MZ', 'MOZ'),
    (512, 'Oman', 'OM', 'OMN'),
    (516, 'Namibie', 'NA', 'NAM'),
    (520, 'Nauru', 'NR', 'NRU'),
    (524, 'Népal', 'NP', 'NPL'),
    (528, 'Pays-Bas', 'NL', 'NLD'),
    (533, 'Aruba', 'AW', 'ABW'),
    (534, 'Saint-Martin (partie néerlandaise)', 'SX', 'SXM'),
    (540, 'Nouvelle-Calédonie', 'NC', 'NCL'),
    (548, 'Vanuatu', 'VU', 'VUT'),
    (554, 'Nouvelle-Zélande', 'NZ', 'NZL'),
    (558, 'Nicaragua', 'NI', 'NIC'),
    (562, 'Niger', 'NE', 'NER'),
    (566, 'Nigeria', 'NG', 'NGA'),
    (570, 'Niue', 'NU', 'NIU'),
    (574, 'Île Norfolk', 'NF', 'NFK'),
    (578, 'Norvège', 'NO', 'NOR'),
    (580, 'Îles Mariannes du Nord', 'MP', 'MNP'),
    (581, 'Îles mineures éloignées des États-Unis', 'UM', 'UMI'),
    (583, 'Micronésie', 'FM', 'FSM'),
    (584, 'Îles Marshall', 'MH', 'MHL'),
    (585, 'Palau', 'PW', 'PLW'),
    (586, 'Pakistan', 'PK', 'PAK'),
    (591, 'Panama', 'PA', 'PAN'),
    (598, 'Papouasie-Nouvelle-Guinée', 'PG', 'PNG'),
    (600, 'Paraguay', 'PY', 'PRY'),
    (604, 'Pérou', 'PE', 'PER'),
    (608, 'Philippines', 'PH', 'PHL'),
    (612, 'Pitcairn', 'PN', 'PCN'),
    (616, 'Pologne', 'PL', 'POL'),
    (620, 'Portugal', 'PT', 'PRT'),
    (624, 'Guinée-Bissau', 'GW', 'GNB'),
    (626, 'Timor-Leste', 'TL', 'TLS'),
    (630, 'Puerto Rico', 'PR', 'PRI'),
    (634, 'Qatar', 'QA', 'QAT'),
    (638, 'Réunion', 'RE', 'REU'),
    (642, 'Roumanie', 'RO', 'ROU'),
    (643, 'Russie', 'RU', 'RUS'),
    (646, 'Rwanda', 'RW', 'RWA'),
    (652, 'Saint-Barthélemy', 'BL', 'BLM'),
    (654, 'Sainte-Hélène', 'SH', 'SHN'),
    (659, 'Saint-Kitts-et-Nevis', 'KN', 'KNA'),
    (660, 'Anguilla', 'AI', 'AIA'),
    (662, 'Sainte-Lucie', 'LC', 'LCA'),
    (663, 'Saint-Martin (partie française)', 'MF', 'MAF'),
    (666, 'Saint-Pierre-et-Miquelon', 'PM', 'SPM'),
    (670, 'Saint-Vincent-et-les Grenadines', 'VC', 'VCT'),
    (674, 'Saint-Marin', 'SM', 'SMR'),
    (678, 'Sao Tomé-et-Principe', 'ST', 'STP'),
    (682, 'Arabie Saoudite', 'SA', 'SAU'),
    (686, 'Sénégal', 'SN', 'SEN'),
    (688, 'Serbie', 'RS', 'SRB'),
    (690, 'Seychelles', 'SC', 'SYC'),
    (694, 'Sierra Leone', 'SL', 'SLE'),
    (702, 'Singapour', 'SG', 'SGP'),
    (703, 'Slovaquie', 'SK', 'SVK'),
    (704, 'Viêt Nam', 'VN', 'VNM'),
    (705, 'Slovénie', 'SI', 'SVN'),
    (706, 'Somalie', 'SO', 'SOM'),
    (710, 'Afrique du Sud', 'ZA', 'ZAF'),
    (716, 'Zimbabwe', 'ZW', 'ZWE'),
    (724, 'Espagne', 'ES', 'ESP'),
    (728, 'Sud-Soudan', 'SS', 'SSD'),
    (732, 'Sahara occidental', 'EH', 'ESH'),
    (736, 'Soudan', 'SD', 'SDN'),
    (740, 'Suriname', 'SR', 'SUR'),
    (744, 'Svalbard et Jan Mayen', 'SJ', 'SJM'),
    (748, 'Eswatini', 'SZ', 'SWZ'),
    (752, 'Suède', 'SE', 'SWE'),
    (756, 'Suisse', 'CH', 'CHE'),
    (760, 'Syrie', 'SY', 'SYR'),
    (762, 'Tadjikistan', 'TJ', 'TJK'),
    (764, 'Thaïlande', 'TH', 'THA'),
    (768, 'Togo', 'TG', 'TGO'),
    (772, 'Tokelau', 'TK', 'TKL'),
    (776, 'Tonga', 'TO', 'TON'),
    (780, 'Trinité-et-Tobago', 'TT', 'TTO'),
    (784, 'Émirats Arabes Unis', 'AE', 'ARE'),
    (788, 'Tunisie', 'TN', 'TUN'),
    (792, 'Turquie', 'TR', 'TUR'),
    (795, 'Turkménistan', 'TM', 'TKM'),
    (796, 'Îles Turques-et-Caïques', 'TC', 'TCA'),
    (798, 'Tuvalu', 'TV', 'TUV'),
    (800, 'Ouganda', 'UG', 'UGA'),
    (804, 'Ukraine', 'UA', 'UKR'),
    (807, 'Macédoine', 'MK', 'MKD'),
    (818, 'Égypte', 'EG', 'EGY'),
    (826, 'Royaume-Uni', 'GB', 'GBR'),
    (831, 'Guernesey', 'GG', 'GGY'),
    (832, 'Jersey', 'JE', 'JEY'),
    (833, 'Ile de Man', 'IM', 'IMN'),
    (834, 'Tanzanie', 'TZ', 'TZA'),
    (840, 'États-Unis', 'US', 'USA'),
    (850, 'Îles Vierges américaines', 'VI', 'VIR'),
    (854, 'Burkina Faso', 'BF', 'BFA'),
    (858, 'Uruguay', 'UY', 'URY'),
    (860, 'Ouzbékistan', 'UZ', 'UZB'),
    (862, 'Venezuela', 'VE', 'VEN'),
    (876, 'Wallis-et-Futuna', 'WF', 'WLF'),
    (882, 'Samoa', 'WS', 'WSM'),
    (887, 'Yémen', 'YE', 'YEM'),
    (894, 'Zambie', 'ZM', 'ZMB');

-- Sequences: where the rows above end ----------------------------------------

select setval('"l''""a"" b:c".dbversion_dbversion_id_seq', max(dbversion_id)) from "l'""a"" b:c".dbversion;
select setval('"l''""a"" b:c".dbparam_dbparam_id_seq', max(dbparam_id)) from "l'""a"" b:c".dbparam;
select setval('"l''""a"" b:c".license_license_id_seq', max(license_id)) from "l'""a"" b:c".license;
select setval('"l''""a"" b:c".barcode_barcode_id_seq', max(barcode_id)) from "l'""a"" b:c".barcode;
select setval('"l''""a"" b:c".label_label_id_seq', max(label_id)) from "l'""a"" b:c".label;
select setval('"l''""a"" b:c".label_optical_label_optical_id_seq', max(label_optical_id)) from "l'""a"" b:c".label_optical;
select setval('"l''""a"" b:c".multiple_type_multiple_type_id_seq', max(multiple_type_id)) from "l'""a"" b:c".multiple_type;
select setval('"l''""a"" b:c".container_family_container_family_id_seq', max(container_family_id)) from "l'""a"" b:c".container_family;
select setval('"l''""a"" b:c".container_type_container_type_id_seq', max(container_type_id)) from "l'""a"" b:c".container_type;
select setval('"l''""a"" b:c".object_status_object_status_id_seq', max(object_status_id)) from "l'""a"" b:c".object_status;
select setval('"l''""a"" b:c".movement_type_movement_type_id_seq', max(movement_type_id)) from "l'""a"" b:c".movement_type;
select setval('"l''""a"" b:c".event_type_event_type_id_seq', max(event_type_id)) from "l'""a"" b:c".event_type;
select setval('"l''""a"" b:c".mime_type_mime_type_id_seq', max(mime_type_id)) from "l'""a"" b:c".mime_type;
select setval('"l''""a"" b:c".request_request_id_seq', max(request_id)) from "l'""a"" b:c".request;
select setval('"l''""a"" b:c".export_model_export_model_id_seq', max(export_model_id)) from "l'""a"" b:c".export_model;
select setval('"l''""a"" b:c".export_format_export_format_id_seq', max(export_format_id)) from "l'""a"" b:c".export_format;
select setval('"l''""a"" b:c".dataset_type_dataset_type_id_seq', max(dataset_type_id)) from "l'""a"" b:c".dataset_type;
select setval('"l''""a"" b:c".dataset_template_dataset_template_id_seq', max(dataset_template_id)) from "l'""a"" b:c".dataset_template;
select setval('"l''""a"" b:c".export_template_export_template_id_seq', max(export_template_id)) from "l'""a"" b:c".export_template;

set search_path = pg_catalog, pg_temp;

INSERT INTO "l'""a"" b:c".alembic_version (version_num) VALUES ('26.2') RETURNING "l'""a"" b:c".alembic_version.version_num;

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
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "l'""a"" b:c".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "l'""a"" b:c".migration_history.client is
    'Account and host where the tool ran';
comment on column "l'""a"" b:c".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "l'""a"" b:c".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('26.2', 'applied', 'gacl_create-26.2.sql, col_create-26.2.sql', 'af5b5c516d765b3df4ec5000c5db2577ac984f1c6e622248fc69653d51c063ff', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

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
    'applied (by a script), adopted (repaired, as it was found), stamped (by Alembic) or downgraded';
comment on column "order %s\".migration_history.checksum is
    'SHA-256 of the scripts, without byte-order mark and with line feeds only';
comment on column "order %s\".migration_history.client is
    'Account and host where the tool ran';
comment on column "order %s\".migration_history.note is
    'Remarks, such as a version that was forced';

insert into "order %s\".migration_history (version, kind, script, checksum, note, started, duration, tool_version, client) values ('26.2', 'applied', 'gacl_create-26.2.sql, col_create-26.2.sql', 'af5b5c516d765b3df4ec5000c5db2577ac984f1c6e622248fc69653d51c063ff', '', now(), clock_timestamp() - now(), '<tool version>', '<client>');

COMMIT;
