-- Upgrade from 26.0 to 26.1: risks and products as tables, history of samples, documents of collections.

create table col.risk (
    risk_id   serial not null,
    risk_name varchar not null,
    constraint risk_pk primary key (risk_id)
);

comment on table col.risk is
    'Risks of what is stored, by CLP class for example.';

create table col.product (
    product_id   serial not null,
    product_name varchar not null,
    constraint product_pk primary key (product_id)
);

comment on table col.product is
    'Products that samples are kept in.';

create table col.samplehisto (
    samplehisto_id    serial not null,
    samplehisto_login varchar,
    samplehisto_date  timestamp not null default now(),
    oldvalues         json,
    sample_id         integer,
    constraint samplehisto_pk primary key (samplehisto_id),
    constraint sample_fk
        foreign key (sample_id) references col.sample (sample_id) match full
        on update cascade on delete set null
);

create index sample_id_idx on col.samplehisto (sample_id);

comment on table col.samplehisto is
    'Changes of samples.';
comment on column col.samplehisto.oldvalues is
    'Values that the change replaced.';

-- What a type of container said in words: one row for each spelling, blanks around it apart.
insert into col.risk (risk_name)
select named.risk_name
from (select distinct btrim(clp_classification) as risk_name from col.container_type) as named
where named.risk_name <> ''
  and not exists (select 1 from col.risk as present where present.risk_name = named.risk_name)
order by named.risk_name;

insert into col.product (product_name)
select named.product_name
from (select distinct btrim(storage_product) as product_name from col.container_type) as named
where named.product_name <> ''
  and not exists (
      select 1 from col.product as present where present.product_name = named.product_name
  )
order by named.product_name;

alter table col.container_type
    add column risk_id integer,
    add column product_id integer,
    add constraint risk_fk
        foreign key (risk_id) references col.risk (risk_id) match full
        on update cascade on delete restrict,
    add constraint product_fk
        foreign key (product_id) references col.product (product_id) match full
        on update cascade on delete restrict;

alter table col.sample_type
    add column risk_id integer,
    add column product_id integer,
    add constraint risk_fk
        foreign key (risk_id) references col.risk (risk_id) match full
        on update cascade on delete restrict,
    add constraint product_fk
        foreign key (product_id) references col.product (product_id) match full
        on update cascade on delete restrict;

update col.container_type
set risk_id = (
        select min(risk.risk_id) from col.risk
        where risk.risk_name = btrim(container_type.clp_classification)
    ),
    product_id = (
        select min(product.product_id) from col.product
        where product.product_name = btrim(container_type.storage_product)
    )
where btrim(clp_classification) <> '' or btrim(storage_product) <> '';

update col.sample_type
set risk_id = holder.risk_id,
    product_id = holder.product_id
from col.container_type as holder
where holder.container_type_id = sample_type.container_type_id
  and (holder.risk_id is not null or holder.product_id is not null);

alter table col.container_type
    drop column clp_classification,
    drop column storage_product;

-- The same in the field list of the samples' exports, in which the application's own script
-- made two items one.
update col.dataset_type
set fields = replace(replace(replace(fields::text,
        '"storage_product"', '"product_name"'),
        '"clp_classification"', '"risk_name"'),
        '"trashed,campaign_id"', '"trashed","campaign_id"')::json
where (dataset_type_id = 1 or dataset_type_name = 'sample')
  and fields::text ~ '"(storage_product|clp_classification|trashed,campaign_id)"';

alter table col.collection add column collection_description varchar;
alter table col.campaign add column campaign_description varchar;

alter table col.object add column object_login varchar;

comment on column col.object.object_login is
    'Account that made the object.';

alter table col.document
    add column collection_id integer,
    add constraint collection_fk
        foreign key (collection_id) references col.collection (collection_id) match full
        on update cascade on delete set null;

comment on column col.document.collection_id is
    'Collection that the document belongs to.';

create index collection_id_idx on col.document (collection_id);
create index document_campaign_id_idx on col.document (campaign_id);
create index event_id_dx on col.document (event_id);

-- A type that a collection offers is not deleted any more with the other one.
alter table col.collection_eventtype
    drop constraint collection_eventtype_1,
    drop constraint collection,
    drop constraint event_type,
    add constraint collection_eventtype_pk primary key (collection_id, event_type_id),
    add constraint collection_eventtype_collection_fk
        foreign key (collection_id) references col.collection (collection_id)
        on update cascade,
    add constraint collection_eventtype_event_type_fk
        foreign key (event_type_id) references col.event_type (event_type_id)
        on update cascade;

alter table col.collection_sampletype
    drop constraint collection_sampletype_1,
    drop constraint collection,
    drop constraint sample_type,
    add constraint collection_sampletype_pk primary key (collection_id, sample_type_id),
    add constraint collection_sampletype_collection_fk
        foreign key (collection_id) references col.collection (collection_id),
    add constraint collection_sampletype_sample_type_fk
        foreign key (sample_type_id) references col.sample_type (sample_type_id)
        on update cascade;

insert into col.dbversion (dbversion_number, dbversion_date) values ('26.1', '2026-04-01');
