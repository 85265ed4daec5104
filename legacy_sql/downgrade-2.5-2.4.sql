-- Downgrade from 2.5 to 2.4.

delete from col.export_model where export_model_name = 'export_template';

drop table col.export;
drop table col.lot_sample;
drop table col.lot;
drop table col.export_dataset;
drop table col.export_template;
drop table col.dataset_column;
drop table col.dataset_template;
drop table col.translator;
drop table col.dataset_type;
drop table col.export_format;
drop table col.samplesearch;

-- The columns take their indexes along.
alter table col.campaign_regulation
    drop constraint campaign_regulation_pk,
    drop column campaign_regulation_id,
    drop column authorization_number,
    drop column authorization_date,
    add constraint campaign_regulation_pk primary key (campaign_id, regulation_id);

drop index col.campaign_id_idx;
drop index col.sample_campaign_id_idx;

alter table col.sample drop column country_id;
alter table col.sampling_place drop column country_id;
alter table col.document drop column uuid;
alter table col.object drop column object_comment;

alter table col.collection
    drop column collection_keywords,
    drop column collection_displayname,
    drop column license_id;

alter table col.referent
    drop column referent_firstname,
    drop column academical_directory,
    drop column academical_link;

-- The view v_object_identifier stays: where every type has a code, the rows are the same.
-- The older version requires it; the table is read once.
-- squawk-ignore adding-not-nullable-field
alter table col.identifier_type alter column identifier_type_code set not null;

drop index col.borrower_name_idx;
drop index col.campaign_name_idx;
drop index col.collection_name_idx;
drop index col.container_family_name_idx;
drop index col.event_type_name_idx;
drop index col.identifier_type_code_idx;
drop index col.mime_type_extension_idx;
drop index col.multiple_type_name_idx;
drop index col.object_status_name_idx;
drop index col.regulation_name_idx;
drop index col.sample_type_name_idx;
drop index col.storage_condition_name_idx;

drop table col.license;
drop table col.country;

insert into col.dbversion (dbversion_number, dbversion_date)
select '2.4', '2020-03-01'
where not exists (select 1 from col.dbversion where dbversion_number = '2.4');

delete from col.dbversion where dbversion_number = '2.5';
