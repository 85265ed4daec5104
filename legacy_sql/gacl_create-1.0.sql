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
