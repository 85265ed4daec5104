-- Upgrade from 2.7 to 2.8: due events, types of events and of samples by collection.

alter table gacl.logingestion
    add column nbattempts smallint default 0,
    add column lastattempt timestamp;

comment on column gacl.logingestion.nbattempts is
    'Failed attempts to log in, since the last successful one.';
comment on column gacl.logingestion.lastattempt is
    'When the last attempt was made.';

alter table col.event
    alter column event_date drop not null,
    add column due_date timestamp;

comment on column col.event.due_date is
    'When the event is expected.';

create index due_date_idx on col.event (due_date);
create index event_date_idx on col.event (event_date);

create table col.collection_eventtype (
    collection_id integer not null,
    event_type_id integer not null,
    constraint collection_eventtype_1 primary key (collection_id, event_type_id) deferrable,
    constraint collection
        foreign key (collection_id) references col.collection (collection_id) match full
        on update cascade on delete cascade deferrable,
    constraint event_type
        foreign key (event_type_id) references col.event_type (event_type_id) match full
        on update cascade on delete cascade deferrable
);

comment on table col.collection_eventtype is
    'Types of events that a collection offers.';

create table col.collection_sampletype (
    collection_id  integer not null,
    sample_type_id integer not null,
    constraint collection_sampletype_1 primary key (collection_id, sample_type_id) deferrable,
    constraint collection
        foreign key (collection_id) references col.collection (collection_id) match full
        on update cascade on delete cascade deferrable,
    constraint sample_type
        foreign key (sample_type_id) references col.sample_type (sample_type_id) match full
        on update cascade on delete cascade deferrable
);

comment on table col.collection_sampletype is
    'Types of samples that a collection offers.';

-- In the body the argument's name would be that of the column.
create function col.geteventtypesfromcollection(collection_id integer) returns varchar
language sql as $$
    select string_agg(kind.event_type_name, ', ')::varchar
    from col.collection_eventtype as tied
    join col.event_type as kind on kind.event_type_id = tied.event_type_id
    where tied.collection_id = $1
$$;

comment on function col.geteventtypesfromcollection(integer) is
    'Types of events that a collection offers, on one line.';

create function col.getsampletypesfromcollection(collection_id integer) returns varchar
language sql as $$
    select string_agg(kind.sample_type_name, ', ')::varchar
    from col.collection_sampletype as tied
    join col.sample_type as kind on kind.sample_type_id = tied.sample_type_id
    where tied.collection_id = $1
$$;

comment on function col.getsampletypesfromcollection(integer) is
    'Types of samples that a collection offers, on one line.';

create function col.getgroupsfromcollection(collection_id integer) returns varchar
language sql as $$
    select string_agg(member.groupe, ', ')::varchar
    from col.collection_group as tied
    join gacl.aclgroup as member on member.aclgroup_id = tied.aclgroup_id
    where tied.collection_id = $1
$$;

comment on function col.getgroupsfromcollection(integer) is
    'Groups that may work on a collection, on one line.';

insert into col.dbversion (dbversion_number, dbversion_date) values ('2.8', '2022-09-26');
