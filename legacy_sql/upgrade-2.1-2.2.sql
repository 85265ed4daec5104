-- Upgrade from 2.1 to 2.2: persons to ask about objects and collections, the map's position.

create sequence col.referent_referent_id_seq;

create table col.referent (
    referent_id     integer not null default nextval('col.referent_referent_id_seq'),
    referent_name   varchar not null,
    referent_email  varchar,
    address_name    varchar,
    address_line2   varchar,
    address_line3   varchar,
    address_city    varchar,
    address_country varchar,
    referent_phone  varchar,
    constraint referent_pk primary key (referent_id)
);

alter sequence col.referent_referent_id_seq owned by col.referent.referent_id;

create unique index referent_referent_name_idx on col.referent (referent_name);

alter table col.object
    add column referent_id integer,
    add constraint referent_object_fk
        foreign key (referent_id) references col.referent (referent_id);

alter table col.collection
    add column referent_id integer,
    add constraint referent_collection_fk
        foreign key (referent_id) references col.referent (referent_id);

comment on table col.referent is
    'Persons to ask about an object or a collection.';
comment on column col.object.referent_id is
    'Person in charge; null for the one of the collection.';
comment on column col.collection.referent_id is
    'Person in charge.';

insert into col.dbparam (dbparam_id, dbparam_name, dbparam_value)
select wanted.id, wanted.name, wanted.value
from (values (3, 'mapDefaultX', '-0.70'), (4, 'mapDefaultY', '44.77'), (5, 'mapDefaultZoom', '7'))
    as wanted (id, name, value)
where not exists (select 1 from col.dbparam where dbparam_name = wanted.name);

insert into col.dbversion (dbversion_number, dbversion_date) values ('2.2', '2018-09-06');
