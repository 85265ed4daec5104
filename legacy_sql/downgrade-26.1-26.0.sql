-- Downgrade from 26.1 to 26.0.

alter table col.collection_sampletype
    drop constraint collection_sampletype_pk,
    drop constraint collection_sampletype_collection_fk,
    drop constraint collection_sampletype_sample_type_fk,
    add constraint collection_sampletype_1
        primary key (collection_id, sample_type_id) deferrable,
    add constraint collection
        foreign key (collection_id) references col.collection (collection_id) match full
        on update cascade on delete cascade deferrable,
    add constraint sample_type
        foreign key (sample_type_id) references col.sample_type (sample_type_id) match full
        on update cascade on delete cascade deferrable;

alter table col.collection_eventtype
    drop constraint collection_eventtype_pk,
    drop constraint collection_eventtype_collection_fk,
    drop constraint collection_eventtype_event_type_fk,
    add constraint collection_eventtype_1
        primary key (collection_id, event_type_id) deferrable,
    add constraint collection
        foreign key (collection_id) references col.collection (collection_id) match full
        on update cascade on delete cascade deferrable,
    add constraint event_type
        foreign key (event_type_id) references col.event_type (event_type_id) match full
        on update cascade on delete cascade deferrable;

drop index col.event_id_dx;
drop index col.document_campaign_id_idx;

alter table col.document drop column collection_id;
alter table col.object drop column object_login;
alter table col.campaign drop column campaign_description;
alter table col.collection drop column collection_description;

update col.dataset_type
set fields = replace(replace(fields::text,
        '"product_name"', '"storage_product"'),
        '"risk_name"', '"clp_classification"')::json
where (dataset_type_id = 1 or dataset_type_name = 'sample')
  and fields::text ~ '"(product_name|risk_name)"';

alter table col.container_type
    add column storage_product varchar,
    add column clp_classification varchar;

comment on column col.container_type.storage_product is
    'Product that samples are kept in.';
comment on column col.container_type.clp_classification is
    'Risk of the product, by CLP class.';

update col.container_type
set storage_product = (
        select product_name from col.product
        where product.product_id = container_type.product_id
    ),
    clp_classification = (
        select risk_name from col.risk
        where risk.risk_id = container_type.risk_id
    )
where product_id is not null or risk_id is not null;

alter table col.sample_type
    drop column risk_id,
    drop column product_id;

alter table col.container_type
    drop column risk_id,
    drop column product_id;

drop table col.samplehisto;
drop table col.product;
drop table col.risk;

insert into col.dbversion (dbversion_number, dbversion_date)
select '26.0', '2025-11-01'
where not exists (select 1 from col.dbversion where dbversion_number = '26.0');

delete from col.dbversion where dbversion_number = '26.1';
