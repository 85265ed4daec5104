-- Upgrade from 2.8.1 to 24.0: each object knows its last movement, notifications, described parameters.
--
-- Descriptions belong to the parameters that the application knows by name.

alter table col.dbparam
    add column dbparam_description varchar,
    add column dbparam_description_en varchar;

comment on column col.dbparam.dbparam_description is
    'What the parameter does, in French.';
comment on column col.dbparam.dbparam_description_en is
    'What the parameter does, in English.';

insert into col.dbparam (dbparam_name, dbparam_value)
select added.name, added.value
from (values
          (1, 'containerNameUnique', '0'),
          (2, 'consultSeesAll', '0'),
          (3, 'notificationDelay', '7'),
          (4, 'notificationLastDate', null)
     ) as added (position, name, value)
where not exists (select 1 from col.dbparam as present where present.dbparam_name = added.name)
order by added.position;

update col.dbparam
set dbparam_description = known.french,
    dbparam_description_en = known.english
from (values
          ('APPLI_code',
           'Code de l''instance. Ce code figurera dans les QRcodes',
           'Instance code. This code will appear in the Qrcodes'),
          ('APPLI_title',
           'Nom de l''instance, affiché dans l''interface',
           'Instance name, displayed in the interface'),
          ('mapDefaultX',
           'Longitude de positionnement par défaut des cartes',
           'Default positioning longitude for maps'),
          ('mapDefaultY',
           'Latitude de positionnement par défaut des cartes',
           'Default positioning latitude for maps'),
          ('mapDefaultZoom',
           'Niveau de zoom par défaut dans les cartes',
           'Default zoom level in maps'),
          ('otp_issuer',
           'Nom affiché dans les applications de génération de codes uniques pour l''identification à double facteur',
           'Name displayed in applications generating unique codes for two-factor identification'),
          ('containerNameUnique',
           'Si positionné à 1, le logiciel interdira la création de deux contenants avec le même nom',
           'If set to 1, the software will prohibit the creation of two containers with the same name'),
          ('consultSeesAll',
           'Si positionné à 1, les utilisateurs avec le droit de consultation peuvent visualiser toutes les métadonnées de tous les échantillons',
           'If set to 1, users with consultation rights can view all the metadata for all the samples'),
          ('notificationDelay',
           'Nombre de jours entre deux envois de notifications. 0 : pas de notifications',
           'Number of days between two notifications. 0: no notification'),
          ('notificationLastDate',
           'Date de l''envoi des dernières notifications',
           'Date of last notifications sent')
     ) as known (name, french, english)
where dbparam.dbparam_name = known.name;

alter table col.collection
    add column sample_name_unique boolean not null default false,
    add column notification_enabled boolean default false,
    add column notification_mails varchar,
    add column expiration_delay smallint default 0,
    add column event_due_delay smallint default 0;

comment on column col.collection.sample_name_unique is
    'Two samples of the collection must not have the same name.';
comment on column col.collection.notification_enabled is
    'Mails are sent about expirations and due events.';
comment on column col.collection.notification_mails is
    'Addresses that receive the mails, separated by commas.';
comment on column col.collection.expiration_delay is
    'Days before its expiration from which a sample is reported.';
comment on column col.collection.event_due_delay is
    'Days before its due date from which an event is reported.';

alter table col.container
    add column collection_id integer,
    add constraint collection_fk
        foreign key (collection_id) references col.collection (collection_id) match full
        on update cascade on delete set null;

create index container_collection_id_idx on col.container (collection_id);

comment on column col.container.collection_id is
    'Collection that the container is reserved for.';

-- Homonyms are told apart by their first names.
drop index col.referent_referent_name_idx;
create unique index referent_referent_name_firstname_idx
    on col.referent (referent_name, referent_firstname);

-- Until 2.8.1 the default may be the moment of the installation.
alter table col.object alter column change_date set default now();

alter table col.object add column last_movement_id integer;

comment on column col.object.last_movement_id is
    'Newest movement of the object; the application sets it with each movement.';

update col.object
set last_movement_id = newest.movement_id
from (select distinct on (uid) uid, movement_id
      from col.movement
      order by uid, movement_date desc, movement_id desc) as newest
where newest.uid = object.uid;

alter table col.object
    add constraint object_last_movement_id_fk
        foreign key (last_movement_id) references col.movement (movement_id);

drop view col.slots_used;
drop view col.last_movement;

create view col.last_movement as
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
from col.object as mover
join col.movement as moved on moved.movement_id = mover.last_movement_id
left join col.container as holder on holder.container_id = moved.container_id
left join col.object as held on held.uid = holder.uid;

comment on view col.last_movement is
    'Where each object is: its last movement. Out of storage, it has no container.';

create view col.slots_used as
select container_id, count(*) as nb_slots_used
from col.last_movement
where movement_type_id = 1
group by container_id;

comment on view col.slots_used is
    'Number of objects in each container.';

create view col.v_derivated_number as
select parent.uid, count(*) as nb_derivated_sample
from col.sample as child
join col.sample as parent on parent.sample_id = child.parent_sample_id
group by parent.uid;

comment on view col.v_derivated_number is
    'Number of samples derived from each sample that has some.';

insert into col.dbversion (dbversion_number, dbversion_date) values ('24.0', '2024-01-02');
